import type { ConfusionPair } from '../../class-answers.ts';
import { shorten } from '../format.ts';
import { html, type Markup } from '../markup.ts';

export interface HeatMap {
  title: string;
  labels: readonly string[];
  /** The classes that are shown, as indices of labels, in the order of rows and columns. */
  order: readonly number[];
  pairs: readonly ConfusionPair[];
  /** The count that gets the full colour: the same for maps that are compared. */
  most: number;
  color: string;
}

const CELL = 22;
const LEFT = 132;
const TOP = 120;
/** The last column's name leans over the edge. */
const RIGHT = 66;
const LABEL_LETTERS = 16;

/** Rows are true classes, columns the answers; the shade grows with the root of the count. */
export function heatMap(map: HeatMap): Markup {
  const { order, labels, most } = map;
  const position = new Map(order.map((label, index) => [label, index]));
  const size = order.length * CELL;
  const name = (index: number) => shorten(labels[index] ?? '', LABEL_LETTERS);
  return html`<svg class="heat" viewBox="0 0 ${LEFT + size + RIGHT} ${TOP + size + 2}" role="img" aria-label="${map.title}">
${order.map((label, index) => {
  const middle = (index + 0.5) * CELL;
  return html`<text class="row" x="${LEFT - 6}" y="${TOP + middle + 4}">${name(label)}<title>${labels[label]}</title></text>
<text class="column-name" transform="translate(${LEFT + middle + 4} ${TOP - 6}) rotate(-60)">${name(label)}<title>${labels[label]}</title></text>`;
})}
<rect class="field" x="${LEFT}" y="${TOP}" width="${size}" height="${size}"/>
${order.map((_, index) => html`<rect class="diagonal" x="${LEFT + index * CELL}" y="${TOP + index * CELL}" width="${CELL}" height="${CELL}"/>`)}
${map.pairs.map((pair) => {
  const row = position.get(pair.truth);
  const column = position.get(pair.predicted);
  if (row === undefined || column === undefined) return null;
  const shade = most > 0 ? Math.sqrt(pair.count / most) : 0;
  const x = LEFT + column * CELL;
  const y = TOP + row * CELL;
  return html`<g><title>${labels[pair.truth]} taken for ${labels[pair.predicted]}: ${pair.count}</title><rect class="cell ${map.color}" x="${x + 0.5}" y="${y + 0.5}" width="${CELL - 1}" height="${CELL - 1}" rx="2" fill-opacity="${(0.06 + 0.94 * shade).toFixed(2)}"/>${
    shade > 0.33 &&
    html`<text class="count ${shade > 0.6 ? 'on-dark' : ''}" x="${x + CELL / 2}" y="${y + CELL / 2 + 3.5}">${pair.count}</text>`
  }</g>`;
})}
</svg>`;
}

/**
 * An order of classes in which those that are taken for one another are neighbours: from the class with the most
 * errors on, always the class that is confused most with the last one. At most `limit` classes, those with the
 * most errors.
 */
export function orderByConfusion(classes: number, pairs: readonly ConfusionPair[], limit: number): number[] {
  const between = new Map<number, number>();
  const errors = new Float64Array(classes);
  for (const { truth, predicted, count } of pairs) {
    for (const key of [truth * classes + predicted, predicted * classes + truth]) {
      between.set(key, (between.get(key) ?? 0) + count);
    }
    errors[truth]! += count;
    errors[predicted]! += count;
  }
  const left = new Set(
    Array.from({ length: classes }, (_, index) => index)
      .sort((a, b) => errors[b]! - errors[a]!)
      .slice(0, limit),
  );
  const order: number[] = [];
  while (left.size > 0) {
    const last = order.at(-1);
    // The set is in the order of errors, and that decides ties.
    let next = left.values().next().value as number;
    let best = 0;
    if (last !== undefined) {
      for (const candidate of left) {
        const count = between.get(last * classes + candidate) ?? 0;
        if (count > best) {
          best = count;
          next = candidate;
        }
      }
    }
    order.push(next);
    left.delete(next);
  }
  return order;
}
