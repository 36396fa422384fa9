import { points } from './html/format.ts';
import { type Gate, gateLayers } from './result.ts';

/** What a shut gate means for the files: the same words in the terminal, on the page and in the card's neighbourhood. */
export function shutGate(gate: Gate): string {
  const layers = gateLayers(gate);
  return `the int8 student loses ${lost(gate)}; the recipe allows ${pointsOf(gate.maxDrop)} (export.int8.maxDrop)${layers && `. Cross-entropy that each layer adds in int8: ${layers}`}`;
}

/** A drop above what is allowed that may be chance: the file ships, and nothing vouches for it. */
export function unclearGate(gate: Gate): string {
  return `the int8 student loses ${lost(gate)}; the recipe allows ${pointsOf(gate.maxDrop)}: ${gate.samples} test samples are too few to tell whether that is more, so the file ships`;
}

/** `3.40 points of accuracy (95 % interval: 2.10 to 4.70)` */
function lost({ drop, interval }: Gate): string {
  const range = interval && ` (95 % interval: ${pointsOf(interval.low)} to ${pointsOf(interval.high)})`;
  return `${pointsOf(drop)} points of accuracy${range ?? ''}`;
}

function pointsOf(fraction: number): string {
  return points(fraction, 2).replace('+', '').replace('\u2212', '-');
}
