// PNG images of up to 256 colours, and base64 to hold them in SVG.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace axmul::plot {

using Rgb = std::array<std::uint8_t, 3>;

/// A palette image: width·height indices into at most 256 colours, row by row from the top.
std::string palette_png(std::size_t width, std::size_t height, std::span<const std::uint8_t> pixels,
                        std::span<const Rgb> palette);

std::string base64(std::string_view bytes);

}  // namespace axmul::plot
