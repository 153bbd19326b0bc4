// What the executables do about signals.
#pragma once

namespace axmul::cli {

/// SIGINT, SIGTERM and SIGHUP ask running work to stop (request_interrupt()); where nothing listens
/// within two seconds (interrupt_patience()), as inside a library's own loop, the program ends with
/// 130 all the same, and a second signal ends it at once. A file that grows beyond the shell's
/// limit (SIGXFSZ) is a write that fails, which is reported.
void handle_signals();

}  // namespace axmul::cli
