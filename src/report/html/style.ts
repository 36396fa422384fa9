import { GRAPH_STYLE } from './graph-style.ts';

/**
 * The page's style sheet. Colours are named after what they stand for, once for light and once for dark; text
 * on the background reaches a contrast of 4.5, lines and discs 3. No style attributes anywhere: the content
 * security policy would refuse them.
 */
const COLORS = `
:root {
  color-scheme: light dark;
  --page: #faf8f4; --sheet: #ffffff; --ink: #1c1e22; --muted: #5b5f68; --line: #e3dfd6; --track: #ebe7de;
  --teacher: #a8500d; --student: #0b6c83; --int8: #5a4fc0; --baseline: #6a7079;
  --good: #17703d; --bad: #b3261e; --note: #eef4f5; --warn: #fdf1e2; --inside: #ffffff;
  --term-3: #5a4fc0; --term-4: #8a6d00; --term-5: #a83279;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #131519; --sheet: #1a1d22; --ink: #eae7e1; --muted: #a5a9b2; --line: #2f333b; --track: #2a2e35;
    --teacher: #eba15c; --student: #4fc1d8; --int8: #aba2f6; --baseline: #9da3ad;
    --good: #6ccf94; --bad: #f2887f; --note: #1b2a2e; --warn: #332718; --inside: #131519;
    --term-3: #aba2f6; --term-4: #d6b74a; --term-5: #ea8bc4;
  }
}
@media print {
  :root {
    --page: #ffffff; --sheet: #ffffff; --ink: #1c1e22; --muted: #5b5f68; --line: #d9d5cc; --track: #ebe7de;
    --teacher: #a8500d; --student: #0b6c83; --int8: #5a4fc0; --baseline: #6a7079;
    --good: #17703d; --bad: #b3261e; --note: #ffffff; --warn: #ffffff; --inside: #ffffff;
    --term-3: #5a4fc0; --term-4: #8a6d00; --term-5: #a83279;
  }
}
.stage { --color: var(--muted); }
.teacher, .term-1, .stage-teacher { --color: var(--teacher); }
.student, .stage-train { --color: var(--student); }
.int8, .stage-export { --color: var(--int8); }
.q4 { --color: var(--term-3); }
.fp16 { --color: var(--good); }
.baseline, .stage-baseline, .stage-peer { --color: var(--baseline); }
.term-2 { --color: var(--good); }
.term-3 { --color: var(--term-3); }
.term-4, .stage-label { --color: var(--term-4); }
.term-5, .stage-evaluate { --color: var(--term-5); }
.term-total { --color: var(--ink); }
.stage-data { --color: var(--good); }
.stage-report { --color: var(--ink); }
`;

const TEXT = `
* { box-sizing: border-box; }
html { overflow-wrap: break-word; -webkit-text-size-adjust: 100%; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
body {
  margin: 0; background: var(--page); color: var(--ink);
  font: 16px/1.55 ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  font-variant-numeric: tabular-nums;
}
main, footer { max-width: 1120px; margin: 0 auto; padding: 0 24px; }
h1, h2, .figures strong { font-family: "Iowan Old Style", "Palatino Linotype", Palatino, Georgia, "DejaVu Serif", serif; }
h1 { font-size: clamp(1.9rem, 5.2vw, 3.3rem); line-height: 1.12; letter-spacing: -0.015em; font-weight: 600; margin: 0.4em 0 0.5em; max-width: 21em; text-wrap: balance; }
h2 { font-size: 1.7rem; line-height: 1.2; letter-spacing: -0.01em; font-weight: 600; margin: 0 0 0.3em; }
h3 { font-size: 1rem; margin: 0; }
section { margin: 72px 0 0; }
figure { margin: 28px 0 0; min-width: 0; }
.about { color: var(--muted); max-width: 46em; margin: 0 0 18px; }
figcaption .about { font-size: 0.875rem; margin: 2px 0 8px; }
.muted { color: var(--muted); }
.small { display: block; font-size: 0.8125rem; font-weight: 400; line-height: 1.35; }
.empty { color: var(--muted); font-style: italic; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.key { display: inline-block; width: 10px; height: 10px; border-radius: 50%; background: var(--color); margin-right: 7px; }
.key.hollow { background: none; border: 2px solid var(--color); }
bdi, blockquote, td, th { overflow-wrap: anywhere; }
footer { color: var(--muted); font-size: 0.875rem; padding-bottom: 48px; }
footer p { border-top: 1px solid var(--line); padding-top: 20px; margin-top: 72px; }
:focus-visible { outline: 2px solid var(--student); outline-offset: 2px; }
`;

const SUMMARY = `
.skip { position: absolute; left: 8px; top: -60px; z-index: 2; background: var(--student); color: var(--inside); padding: 10px 16px; border-radius: 0 0 8px 8px; font-weight: 600; }
.skip:focus { top: 0; } main:focus { outline: none; }
.contents { margin-top: 40px; border-top: 1px solid var(--line); border-bottom: 1px solid var(--line); padding: 14px 0; }
.contents ol { list-style: none; margin: 0; padding: 0; display: flex; flex-wrap: wrap; gap: 2px 26px; font-size: 0.9375rem; }
.contents a { color: var(--student); text-decoration: none; display: inline-block; padding: 4px 0; } .contents a:hover { text-decoration: underline; }
.contents + section { margin-top: 56px; }
h2[id] { scroll-margin-top: 20px; }
.summary { padding-top: 36px; }
.brand { display: flex; align-items: center; gap: 8px; font-weight: 650; margin: 0 0 28px; }
.brand .muted { font-weight: 400; }
.logo path { fill: var(--teacher); } .logo .arm { fill: none; stroke: var(--teacher); stroke-width: 2.4; stroke-linecap: round; }
.run { font-weight: 600; margin: 0; } .run .muted { font-weight: 400; }
.lede { font-size: 1.125rem; max-width: 42em; margin: 0 0 32px; }
.figures { list-style: none; margin: 0; padding: 0; display: grid; grid-template-columns: repeat(4, 1fr); border-top: 2px solid var(--ink); }
.figures li { padding: 16px 20px 0 0; }
.figures strong { display: block; font-size: clamp(1.7rem, 4vw, 2.6rem); line-height: 1.15; font-weight: 600; color: var(--student); }
.figures span { display: block; color: var(--muted); font-size: 0.9375rem; line-height: 1.35; max-width: 15em; }
.warnings { margin-top: 36px; }
.warnings ul { list-style: none; margin: 0; padding: 0; display: grid; gap: 8px; }
.warnings li { background: var(--note); border-left: 3px solid var(--student); border-radius: 4px; padding: 10px 14px; font-size: 0.9375rem; overflow-wrap: anywhere; }
.warnings li.warning { background: var(--warn); border-color: var(--teacher); }
.warnings b { margin-right: 4px; }
`;

const TABLES = `
table { border-collapse: collapse; width: 100%; font-size: 0.9375rem; }
th { text-align: left; font-weight: 600; }
td, th { padding: 7px 12px 7px 0; vertical-align: middle; }
.end { text-align: right; white-space: nowrap; }
td.end:last-child, th.end:last-child { padding-right: 0; }
thead th { font-size: 0.8125rem; color: var(--muted); border-bottom: 1px solid var(--line); vertical-align: bottom; }
tbody tr + tr > * { border-top: 1px solid var(--line); }
tfoot > tr > * { border-top: 2px solid var(--line); }
.plain th { font-weight: 500; }
.scorecard { table-layout: fixed; background: var(--sheet); border: 1px solid var(--line); border-radius: 12px; border-collapse: separate; border-spacing: 0; overflow: hidden; }
.scorecard td, .scorecard th { padding: 12px 18px; vertical-align: top; }
.scorecard thead th { font-size: 0.9375rem; color: var(--ink); padding-top: 18px; }
.scorecard .number { display: block; font-size: 1.0625rem; font-weight: 550; margin-bottom: 6px; white-space: nowrap; }
.scorecard .model { display: none; }
.classes { table-layout: fixed; } .classes th[scope=row] { font-weight: 500; }
.classes thead th { width: 5.4em; } .classes thead th:first-child { width: 13.5em; } .classes thead .texts { width: 4em; }
.classes td, .classes tbody th { padding-top: 2px; padding-bottom: 2px; }
.classes tbody tr + tr > * { border-top-color: color-mix(in srgb, var(--line) 55%, transparent); }
.classes thead .picture { width: auto; }
.classes tbody tr:hover { background: var(--note); }
.classes .lost, .wrong { color: var(--bad); } .classes .won, .right { color: var(--good); }
.pairs caption { text-align: left; font-weight: 600; font-size: 0.875rem; padding: 14px 0 4px; }
.pairs { font-size: 0.875rem; table-layout: fixed; } .pairs td { padding-top: 4px; padding-bottom: 4px; }
.pairs .end { width: 24%; }
`;

const CHARTS = `
svg { display: block; }
.chart, .stacked { overflow: visible; }
.bar .track { fill: var(--track); } .bar .fill, .stacked .fill { fill: var(--color); }
.stacked { border-radius: 8px; overflow: hidden; }
.stacked .gap { stroke: var(--page); stroke-width: 3; }
.stacked .inside { fill: var(--inside); font-size: 13px; font-weight: 600; }
.grid { stroke: var(--line); stroke-width: 1; } .beginning { stroke: var(--muted); stroke-width: 1; stroke-dasharray: 3 4; }
.cut { fill: none; stroke: var(--muted); } p.cut { font-size: 0.8125rem; margin: 2px 0 0; } .region { margin-top: 28px; }
.place { stroke: var(--page); stroke-width: 0.5; fill-opacity: 0.85; }
.place.c0, .key.c0 { fill: var(--bad); background: var(--bad); } .place.c4, .key.c4 { fill: var(--good); background: var(--good); }
.place.c1 { fill: color-mix(in srgb, var(--bad) 75%, var(--term-4)); } .place.c2 { fill: var(--term-4); } .place.c3 { fill: color-mix(in srgb, var(--good) 70%, var(--term-4)); }
.key.c2 { background: var(--term-4); }
text { fill: var(--ink); font-size: 12px; }
.tick { fill: var(--muted); font-size: 12px; }
.start { text-anchor: start; } .middle { text-anchor: middle; } text.end { text-anchor: end; }
.line { fill: none; stroke: var(--color); stroke-width: 2; stroke-linejoin: round; }
.mark { fill: var(--color); stroke: var(--page); stroke-width: 1; }
.mark.quiet { fill-opacity: 0; stroke-opacity: 0; } .mark:hover { fill-opacity: 1; r: 5px; }
.reference { stroke: var(--color); stroke-width: 1.5; stroke-dasharray: 6 5; }
.reference-label, .point-name { fill: var(--color); font-weight: 600; font-size: 13px; }
.reference-label { paint-order: stroke; stroke: var(--page); stroke-width: 4px; stroke-linejoin: round; }
.disc { fill: var(--color); fill-opacity: 0.22; stroke: var(--color); stroke-width: 2; }
.column { fill: var(--student); } .column:hover { fill: var(--teacher); }
.span { stroke-width: 4; stroke-opacity: 0.35; } .span.lost { stroke: var(--bad); } .span.won { stroke: var(--good); } .dumbbell .dot { fill: var(--color); }
.dumbbell .hollow { fill: var(--page); stroke: var(--color); stroke-width: 2; }
.ideal { stroke: var(--muted); stroke-width: 1.5; stroke-dasharray: 2 4; }
.square { width: 100%; max-width: 420px; height: auto; }
.heat { width: 100%; height: auto; }
.heat .row { text-anchor: end; } .heat .field { fill: var(--sheet); stroke: var(--line); }
.heat .diagonal { fill: var(--track); } .heat .cell { fill: var(--color); } .heat g:hover .cell { stroke: var(--ink); stroke-width: 1.5; }
.heat .count { text-anchor: middle; font-size: 10px; pointer-events: none; } .heat .count.on-dark { fill: var(--inside); font-weight: 600; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: 4px 20px; margin: 4px 0 8px; padding: 0; font-size: 0.875rem; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 12px 48px; align-items: start; }
.pair > * { min-width: 0; } .pair .plain { margin-top: 28px; }
.pair.narrow { grid-template-columns: minmax(0, 420px) 1fr; }
.pair.narrow figure { margin-top: 0; }
.maps { margin: 24px 0 0; } .pair > figure { margin-top: 18px; }
.scroll { overflow-x: auto; }
.with-axis { display: flex; } .with-axis > .axis { flex: none; } .with-axis > .chart { flex: 1; min-width: 0; }
`;

const CARDS = `
.cards { list-style: none; margin: 0; padding: 0; display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 320px), 1fr)); gap: 16px; }
.card { background: var(--sheet); border: 1px solid var(--line); border-radius: 12px; padding: 18px 20px; display: flex; flex-direction: column; }
.waveform { width: 100%; max-width: 20rem; height: 4.5rem; }
.card audio { width: 100%; max-width: 20rem; height: 2.25rem; margin-bottom: 8px; }
.example { width: 5.25rem; aspect-ratio: 1; object-fit: contain; image-rendering: pixelated; background: #000; border-radius: 4px; }
.written { display: block; margin-top: 4px; }
svg.boxes { width: 100%; image-rendering: pixelated; border-radius: 4px; }
svg.boxes rect { fill: none; stroke: var(--color, #fff); stroke-width: 1.2; } svg.boxes .halo { stroke: #000; stroke-width: 2.4; opacity: 0.55; }
svg.boxes text { font: 600 5.5px sans-serif; fill: #fff; stroke: #000; stroke-width: 1.4; paint-order: stroke; }
svg.boxes .truth { --color: #fff; }
.card.beside { grid-column: 1 / -1; } .card.beside dl { display: flex; gap: 16px; } .card.beside dl > div { display: block; flex: 1; min-width: 0; max-width: 340px; }
.card blockquote { margin: 0; font-size: 1.0625rem; line-height: 1.4; flex: 1; }
.card .truth { margin: 12px 0; font-size: 0.9375rem; }
.card dl { margin: 0; font-size: 0.9375rem; }
.card dl > div { display: grid; grid-template-columns: 5.4em 1fr 3.2em; gap: 0 8px; align-items: center; border-top: 1px solid var(--line); padding: 7px 0; }
.card dl > div:last-child { padding-bottom: 0; }
.card dt, .card dd { margin: 0; }
.card .answer { font-weight: 600; font-size: 0.875rem; } .card .sure { text-align: right; font-size: 0.8125rem; }
details { margin-top: 20px; border: 1px solid var(--line); border-radius: 8px; background: var(--sheet); }
summary { cursor: pointer; padding: 10px 16px; font-weight: 600; }
details > :not(summary) { margin: 0 16px 16px; width: calc(100% - 32px); }
pre { margin: 0; overflow-x: auto; font: 0.875rem/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
.command { display: flex; align-items: center; gap: 12px; background: var(--sheet); border: 1px solid var(--line); border-radius: 8px; padding: 12px 16px; }
.command pre { flex: 1; min-width: 0; }
button { font: inherit; font-size: 0.875rem; font-weight: 600; color: var(--inside); background: var(--student); border: 0; border-radius: 6px; padding: 6px 14px; cursor: pointer; }
`;

const NARROW = `
@media screen and (max-width: 860px) {
  .pair, .pair.narrow { grid-template-columns: minmax(0, 1fr); }
  .card.beside { grid-column: auto; }
  .figures { grid-template-columns: 1fr 1fr; row-gap: 12px; }
  .scorecard, .scorecard tbody, .scorecard tr, .scorecard th, .scorecard td { display: block; }
  .scorecard thead { display: none; }
  .scorecard td, .scorecard tbody th { padding: 4px 16px; border: 0; }
  .scorecard tr { padding: 12px 0; } .scorecard tbody tr + tr { border-top: 1px solid var(--line); }
  .scorecard tr > * { border: 0 !important; }
  .scorecard tbody th .small { display: inline; margin-left: 8px; }
  .scorecard td { display: grid; grid-template-columns: 8.5em 1fr 5.5em; align-items: center; }
  .scorecard .model { display: block; font-size: 0.9375rem; }
  .scorecard .number { margin: 0; font-size: 0.9375rem; text-align: right; padding-right: 12px; }
}
@media screen and (max-width: 620px) {
  main, footer { padding: 0 16px; }
  section { margin-top: 56px; }
  .classes .texts, .classes .difference, .classes .without, .what { display: none; }
  .classes thead th:first-child { width: 9.4em; }
  .classes { font-size: 0.8125rem; } .classes td, .classes th { padding-right: 8px; } .classes thead th { font-size: 0.75rem; }
  .heat { min-width: 600px; }
  .command { flex-direction: column; align-items: stretch; }
}
@media print {
  body { font-size: 11pt; }
  main, footer { max-width: none; padding: 0; }
  section { margin-top: 36px; }
  figure, .card, tr, .figures, .stacked { break-inside: avoid; }
  h2, h3, h2 + .about, .legend, .stacked { break-after: avoid; }
  button, .skip, .contents { display: none; }
  .classes { font-size: 0.8125rem; } .classes thead th { font-size: 0.6875rem; width: 5.2em; }
  .classes thead th:first-child { width: 11em; } tfoot { display: table-row-group; }
  .scorecard td, .scorecard th { padding: 6px 10px; } .scorecard .number { font-size: 0.8125rem; }
  .pair.maps-pair { grid-template-columns: 1fr; } .heat { max-width: 560px; }
  pre { white-space: pre-wrap; overflow-wrap: anywhere; }
  .scroll { overflow: visible; }
}
`;

export const STYLE = COLORS + TEXT + SUMMARY + TABLES + CHARTS + CARDS + GRAPH_STYLE + NARROW;
