import { bootstrapInterval } from './bootstrap.ts';
import { KeptRows } from './kept-rows.ts';
import { type Metric, metric } from './metric.ts';
import { columnOf, type OutputOptions, rowOf } from './output-rows.ts';
/** A named part of a sequence: tokens from `from` to `to` - 1. */
export interface Span {
  readonly kind: string;
  readonly from: number;
  readonly to: number;
}

/**
 * The spans of a sequence of BIO tags, strictly (seqeval's `mode='strict', scheme=IOB2`): only `B-KIND` begins a span, and
 * `I-KIND` continues one of its own kind; any other `I` belongs to none.
 *
 * Ramshaw and Marcus, "Text Chunking using Transformation-Based Learning" (1995).
 *
 * @example
 * spansOf(['B-PER', 'I-PER', 'O', 'I-LOC']); // [{ kind: 'PER', from: 0, to: 2 }]
 */
export function spansOf(tags: readonly string[]): Span[] {
  const spans: Span[] = [];
  let open: { kind: string; from: number } | undefined;
  const close = (to: number) => {
    if (open) spans.push({ ...open, to });
    open = undefined;
  };
  tags.forEach((tag, i) => {
    const [prefix, kind] = [tag.slice(0, 2), tag.slice(2)];
    if (prefix === 'I-' && open?.kind === kind) return;
    close(i);
    if (prefix === 'B-') open = { kind, from: i };
  });
  close(tags.length);
  return spans;
}

/** Spans counted over sequences. */
export interface SpanCounts {
  right: number;
  called: number;
  present: number;
}

/** Counts the spans of one sequence; a called one is right when kind and both ends are. */
export function countSpans(counts: SpanCounts, truth: readonly string[], answer: readonly string[]): void {
  const [present, called] = [spansOf(truth), spansOf(answer)];
  const names = new Set(present.map(nameOf));
  counts.present += present.length;
  counts.called += called.length;
  counts.right += called.filter((span) => names.has(nameOf(span))).length;
}

/** F1 of all spans together; NaN where none is there and none was called. */
export function spanF1({ right, called, present }: SpanCounts): number {
  return called + present > 0 ? (2 * right) / (called + present) : Number.NaN;
}

function nameOf({ kind, from, to }: Span): string {
  return `${from} ${to} ${kind}`;
}

/**
 * Span F1 of token classes: logits [rows, tokens, tags] against int32 [rows, tokens], negative where a token has no tag
 * of its own (padding, special tokens, the later pieces of a word). `tags` are the names of the classes, `O`, `B-PER` ...
 */
export function spansF1(options: OutputOptions & { readonly tags: readonly string[] }): Metric {
  const { tags, labels = 'labels' } = options;
  return metric<KeptRows>({
    name: 'spanF1',
    title: 'span F1',
    better: 'higher',
    format: 'percent',
    start: () => new KeptRows(3),
    add(rows, answers, { filled, columns }) {
      const truths = columnOf(columns, labels);
      for (let row = 0; row < filled; row++) {
        const truth = rowOf(truths, row) as Int32Array;
        const logits = rowOf(answers, row) as Float32Array;
        const tokens = Array.from(truth.keys()).filter((token) => truth[token]! >= 0);
        if (tokens.length === 0) continue;
        const counts: SpanCounts = { right: 0, called: 0, present: 0 };
        countSpans(
          counts,
          tokens.map((token) => tags[truth[token]!] as string),
          tokens.map((token) => tags[largest(logits, token * tags.length, tags.length)] as string),
        );
        rows.add([counts.right, counts.called, counts.present]);
      }
    },
    value: (rows) => spanF1(totals(rows)),
    interval: (rows) => bootstrapInterval(rows.length, (weights) => spanF1(totals(rows, weights))),
  });
}

function totals(rows: KeptRows, weights?: Float64Array): SpanCounts {
  const counts: SpanCounts = { right: 0, called: 0, present: 0 };
  for (let i = 0; i < rows.length; i++) {
    const [right, called, present] = rows.row(i) as unknown as [number, number, number];
    const weight = weights?.[i] ?? 1;
    counts.right += weight * right;
    counts.called += weight * called;
    counts.present += weight * present;
  }
  return counts;
}

function largest(values: Float32Array, from: number, length: number): number {
  let best = 0;
  for (let i = 1; i < length; i++) if (values[from + i]! > values[from + best]!) best = i;
  return best;
}
