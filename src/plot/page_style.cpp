// Style and script of a report. Every pair of text and ground has a contrast of 4.5 or more
// (tests/plot/report_test.py computes them).
#include "plot/page.hpp"

namespace axmul::plot {

const char* const kPageStyle = R"css(
:root{color-scheme:light dark;--ground:#fff;--panel:#f5f6f8;--ink:#1c2126;--soft:#4a5158;
--line:#d5d9dd;--grid:#e3e6e9;--accent:#c2410c;--accent-text:#9a3412;--link:#1d4e89;--bar:#44617b;
--dot:#8a949d;--c1:#1d4e89;--c2:#2f7a58;--c3:#8e4a9e;--c4:#8a6a00;--c5:#5a6470}
@media (prefers-color-scheme:dark){:root{--ground:#14171a;--panel:#1d2125;--ink:#e8eaec;
--soft:#b3bac1;--line:#3a4148;--grid:#2b3036;--accent:#f08a54;--accent-text:#f5a77c;--link:#8fbcf0;
--bar:#8fabc4;--dot:#7d868e;--c1:#8fbcf0;--c2:#7cc9a3;--c3:#d29ae0;--c4:#dcb84a;--c5:#a9b2ba}}
*{box-sizing:border-box}
html{font:16px/1.5 system-ui,'Helvetica Neue',Arial,'DejaVu Sans',sans-serif;
-webkit-text-size-adjust:100%}
body{margin:0;background:var(--ground);color:var(--ink)}
header,main,footer{max-width:76rem;margin:0 auto;padding:0 1rem}
header{padding-top:1.5rem}footer{padding-bottom:2rem;color:var(--soft);font-size:.85rem}
h1{font-size:1.6rem;line-height:1.2;margin:0 0 .3rem}
h2{font-size:1.25rem;margin:2.2rem 0 .6rem;padding-top:.6rem;border-top:1px solid var(--line)}
h3{font-size:1.02rem;margin:1.4rem 0 .4rem}
h1,h2,h3,td,th,dd,p{overflow-wrap:anywhere}
p{margin:.4rem 0;max-width:46rem}a{color:var(--link)}
nav ul{display:flex;flex-wrap:wrap;gap:.2rem 1rem;list-style:none;padding:0;margin:.6rem 0}
a:focus-visible,button:focus-visible,[tabindex]:focus-visible,summary:focus-visible{
outline:2px solid var(--accent);outline-offset:2px}
.skip{position:absolute;left:-99rem}.skip:focus{left:1rem;top:.5rem;background:var(--ground)}
.soft{color:var(--soft)}code{font:.86em ui-monospace,'DejaVu Sans Mono',monospace}
dl.facts{display:grid;grid-template-columns:minmax(7rem,max-content) 1fr;gap:.15rem 1rem;margin:.5rem 0}
dl.facts dt{color:var(--soft)}dl.facts dd{margin:0}
.scroll{overflow-x:auto;margin:.6rem 0;border:1px solid var(--line);border-radius:4px}
table{border-collapse:collapse;font-size:.86rem;width:100%}
caption{text-align:left;padding:.4rem .6rem;color:var(--soft)}
th,td{padding:.28rem .6rem;text-align:left;vertical-align:top;border-top:1px solid var(--line)}
.scroll th,.scroll td{overflow-wrap:normal;white-space:nowrap}
.scroll td.wrap{white-space:normal;min-width:14rem}
thead th{background:var(--panel);border-top:0}th.r,td.r{text-align:right;
font-variant-numeric:tabular-nums}tbody th{font-weight:600}
.pictures{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,22rem),1fr));gap:1rem;
align-items:start}
figure{margin:0;min-width:0;border:1px solid var(--line);border-radius:4px;padding:.5rem}
figure svg{display:block;width:100%;max-width:40rem;height:auto;margin:0 auto}
.small{grid-template-columns:repeat(auto-fill,minmax(7.5rem,1fr));gap:.6rem}
.small figure{padding:.35rem}.small img{display:block;width:100%;image-rendering:pixelated}
figcaption{font-size:.8rem;color:var(--soft);overflow-wrap:anywhere}
.tools{display:flex;gap:.4rem;align-items:center;font-size:.8rem;min-height:1.9rem;flex-wrap:wrap}
.tools button{font:inherit;color:var(--ink);background:var(--panel);border:1px solid var(--soft);
border-radius:3px;min-width:1.9rem;min-height:1.7rem;cursor:pointer}
.plot text{font-family:Helvetica,Arial,'Liberation Sans','DejaVu Sans',sans-serif;fill:var(--ink)}
.plot .tick{font-size:9px;fill:var(--soft)}.plot .label{font-size:10px}
.plot .name{font-size:8.5px}.plot .title{font-size:11px;font-weight:bold}
.plot .axis,.plot .frame{stroke:var(--ink);stroke-width:.8;fill:none}
.plot .grid{stroke:var(--grid);stroke-width:.6}
.plot .zero{stroke:var(--dot);stroke-width:.7;stroke-dasharray:2 2;fill:none}
.plot .accent{stroke:var(--accent);stroke-width:1.4;fill:none}.plot .accent-fill{fill:var(--accent)}
.plot .accent-text{fill:var(--accent-text);font-size:9px}
.plot .band{fill:var(--accent);fill-opacity:.2}.plot .bar{fill:var(--bar)}
.plot .soft{stroke:var(--bar);stroke-width:1;fill:none}.plot .dot{fill:var(--dot);fill-opacity:.75}
.plot .lead{stroke:var(--dot);stroke-width:.5}.plot .bars{stroke:var(--bar);stroke-width:.8}
.plot .s0,.plot .s1,.plot .s2,.plot .s3,.plot .s4,.plot .s5{fill:none;stroke-width:1.4}
.plot .s0{stroke:var(--accent)}.plot .s1{stroke:var(--c1);stroke-dasharray:5 2}
.plot .s2{stroke:var(--c2)}.plot .s3{stroke:var(--c3);stroke-dasharray:2 2}
.plot .s4{stroke:var(--c4);stroke-dasharray:7 2 2 2}.plot .s5{stroke:var(--c5)}
.plot .thin{stroke-width:.7}.plot .solid{stroke-dasharray:none}.plot .faint{fill-opacity:.5}
.plot .f0{fill:var(--accent)}.plot .f1{fill:var(--c1)}.plot .f2{fill:var(--c2)}
.plot .f3{fill:var(--c3)}.plot .f4{fill:var(--c4)}.plot .f5{fill:var(--c5)}
@page{size:A4;margin:14mm}
@media print{:root{color-scheme:light;--ground:#fff;--panel:#f5f6f8;--ink:#000;--soft:#333;
--line:#bbb;--grid:#e3e6e9;--accent:#c2410c;--accent-text:#9a3412;--link:#000;--bar:#44617b;
--dot:#8a949d;--c1:#1d4e89;--c2:#2f7a58;--c3:#8e4a9e;--c4:#8a6a00;--c5:#5a6470}
html{font-size:10pt}nav,.tools,.skip{display:none}header,main,footer{max-width:none;padding:0}
figure,tr{break-inside:avoid}h2,h3{break-after:avoid}.scroll{overflow:visible;border:0}
.scroll th,.scroll td{white-space:normal;padding:.15rem .3rem;font-size:7.5pt}
.pictures{grid-template-columns:1fr 1fr}.small{grid-template-columns:repeat(6,1fr)}}
)css";

// Zoom by buttons, keys and wheel with Ctrl; the error under the pointer, or under the cross that
// the arrow keys move. Without scripts the pictures are the same, and tips still show.
const char* const kPageScript = R"js(
'use strict';
for (const figure of document.querySelectorAll('figure[data-zoom]')) {
  const svg = figure.querySelector('svg'), tools = document.createElement('div');
  tools.className = 'tools';
  const all = svg.viewBox.baseVal, whole = [all.x, all.y, all.width, all.height];
  let view = [...whole];
  const show = () => svg.setAttribute('viewBox', view.join(' '));
  const zoom = (factor, cx, cy) => {
    const w = Math.min(whole[2], view[2] * factor), h = Math.min(whole[3], view[3] * factor);
    view = [Math.max(0, Math.min(whole[2] - w, cx - (cx - view[0]) * w / view[2])),
            Math.max(0, Math.min(whole[3] - h, cy - (cy - view[1]) * h / view[3])), w, h];
    show();
  };
  const centre = () => [view[0] + view[2] / 2, view[1] + view[3] / 2];
  const button = (text, label, act) => {
    const b = document.createElement('button');
    b.type = 'button'; b.textContent = text; b.setAttribute('aria-label', label);
    b.addEventListener('click', act); tools.append(b);
  };
  button('+', 'zoom in', () => zoom(1 / 1.5, ...centre()));
  button('−', 'zoom out', () => zoom(1.5, ...centre()));
  button('⟲', 'whole picture', () => { view = [...whole]; show(); });
  const out = document.createElement('output');
  tools.append(out);
  figure.append(tools);
  const place = event => {
    const p = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    return [p.x, p.y];
  };
  svg.addEventListener('wheel', event => {
    if (!event.ctrlKey) return;
    event.preventDefault();
    zoom(event.deltaY < 0 ? 1 / 1.2 : 1.2, ...place(event));
  }, {passive: false});
  let from = null;
  svg.addEventListener('pointerdown', event => { from = place(event); });
  svg.addEventListener('pointerup', () => { from = null; });
  svg.addEventListener('pointermove', event => {
    if (!from || view[2] === whole[2] || !event.buttons) return;
    const [x, y] = place(event);
    view[0] = Math.max(0, Math.min(whole[2] - view[2], view[0] + from[0] - x));
    view[1] = Math.max(0, Math.min(whole[3] - view[3], view[1] + from[1] - y));
    show();
  });
  const packed = figure.querySelector('script[type="text/plain"]');
  const image = svg.querySelector('image.map');
  if (!packed || !image || !('DecompressionStream' in window)) continue;
  const bytes = Uint8Array.from(atob(packed.textContent.trim()), c => c.charCodeAt(0));
  new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate')))
    .arrayBuffer().then(buffer => {
    const errors = new Int32Array(buffer), a0 = +packed.dataset.a, b0 = +packed.dataset.b;
    const box = ['x', 'y', 'width', 'height'].map(name => +image.getAttribute(name));
    let at = [128, 128];
    const tell = () => {
      const e = errors[at[0] * 256 + at[1]], a = a0 + at[0], b = b0 + at[1];
      out.textContent = `a = ${a}, b = ${b}: ${a * b} + (${e}) = ${a * b + e}`;
    };
    svg.addEventListener('pointermove', event => {
      const [x, y] = place(event);
      const b = Math.floor((x - box[0]) / box[2] * 256), a = 255 - Math.floor((y - box[1]) / box[3] * 256);
      if (a < 0 || a > 255 || b < 0 || b > 255) return;
      at = [a, b];
      tell();
    });
    svg.tabIndex = 0;
    svg.addEventListener('keydown', event => {
      const step = {ArrowUp: [1, 0], ArrowDown: [-1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1]}[event.key];
      if (!step) return;
      event.preventDefault();
      at = at.map((v, i) => Math.max(0, Math.min(255, v + step[i])));
      tell();
    });
  });
}
)js";

}  // namespace axmul::plot
