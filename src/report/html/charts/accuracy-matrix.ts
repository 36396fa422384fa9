import type { AccuracyMatrix } from '../../continual-metrics.ts';
import { decimal, percent } from '../format.ts';
import { html, type Markup } from '../markup.ts';

const CELL = 40;
const LEFT = 22;
const TOP = 20;

/** A square for each task after each task: row i after task i was learnt, column j the accuracy on task j. */
export function accuracyMatrix(method: string, matrix: AccuracyMatrix, taught = true): Markup {
  const columns = matrix[0]?.length ?? 0;
  const width = LEFT + columns * CELL + 2;
  const height = TOP + matrix.length * CELL + 2;
  const title = `Accuracy of ${method} on each task (columns) after each task was learnt (rows)`;
  return html`<svg class="heat tasks" viewBox="0 0 ${width} ${height}" role="img" aria-label="${title}">
${Array.from({ length: columns }, (_, column) => html`<text class="tick middle" x="${LEFT + (column + 0.5) * CELL}" y="${TOP - 7}">${column + 1}</text>`)}
${matrix.map(
  (row, i) =>
    html`${taught && html`<text class="tick end" x="${LEFT - 6}" y="${TOP + (i + 0.5) * CELL + 4}">${i + 1}</text>`}${row.map(
      (accuracy, j) => {
        const x = LEFT + j * CELL;
        const y = TOP + i * CELL;
        const when = taught ? `after task ${i + 1}` : 'after all tasks';
        return html`<g><title>${method}, task ${j + 1} ${when}: ${percent(accuracy)}</title><rect class="field" x="${x + 1}" y="${y + 1}" width="${CELL - 2}" height="${CELL - 2}" rx="3"/><rect class="cell student" x="${x + 1}" y="${y + 1}" width="${CELL - 2}" height="${CELL - 2}" rx="3" fill-opacity="${(0.55 * accuracy).toFixed(2)}"/><text class="count" x="${x + CELL / 2}" y="${y + CELL / 2 + 4}">${decimal(accuracy * 100)}</text></g>`;
      },
    )}`,
)}
</svg>`;
}
