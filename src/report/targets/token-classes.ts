import { INPUT_IDS } from '../../data/columns.ts';
import { columnOf, rowOf } from '../../metrics/output-rows.ts';
import { countSpans, spansOf } from '../../metrics/span-f1.ts';
import type { Tensor } from '../../onnx/tensor.ts';
import { classesOf } from '../../targets/head.ts';
import { type TokenOffset, tokenOffsets } from '../../targets/token-offsets.ts';
import { type ClassCounts, CountsByClass } from './counts-by-class.ts';
import { DrawnSamples } from './drawn-samples.ts';
import type { Said, SectionCollector, SectionContext } from './section.ts';

/** Kind by kind: span F1 of each model; and texts with their spans marked. */
export function tokenClassesSection({ head, seed, examples, tokenizer }: SectionContext): SectionCollector {
  const tags = classesOf(head);
  const kinds = tags.filter((tag) => tag.startsWith('B-')).map((tag) => tag.slice(2));
  const counts = new CountsByClass(kinds);
  const drawn = new DrawnSamples(seed, examples);
  return {
    add(answers, batch, example) {
      const truths = columnOf(batch.columns, head.labels);
      for (let row = 0; row < batch.filled; row++) {
        const truth = rowOf(truths, row) as Int32Array;
        const tokens = Array.from(truth.keys()).filter((token) => (truth[token] as number) >= 0);
        if (tokens.length === 0) continue;
        const own = tokens.map((token) => tags[truth[token] as number] as string);
        const said = [...answers].map(([who, answer]) => [who, tagsOf(answer, row, tokens)] as const);
        for (const [who, found] of said) {
          const all = counts.of(who);
          kinds.forEach((kind, k) => {
            countSpans(all[k] as ClassCounts, only(own, kind), only(found, kind));
          });
        }
        if (!own.some((tag) => tag !== 'O') || !tokenizer) continue;
        drawn.offer(() => {
          const shown = example(batch.ordinals[row] as number);
          const ids = Array.from(rowOf(columnOf(batch.columns, INPUT_IDS), row) as BigInt64Array, Number);
          const offsets = tokenOffsets(tokenizer, shown.text, ids);
          const marks = (found: readonly string[]) => marked(found, tokens, offsets);
          return {
            ...shown,
            said: [
              { who: 'truth', marks: marks(own) },
              ...said.map(([who, found]): Said => ({ who, marks: marks(found) })),
            ],
          };
        });
      }
    },
    section: () => [
      counts.table(
        'Kind by kind',
        'F1 of the spans of each kind: one is right where its kind and both ends are.',
        ['Kind', 'spans'],
      ),
      {
        block: 'samples',
        title: 'Texts with their spans',
        about: 'Drawn at random among those that have some.',
        samples: drawn.samples,
      },
    ],
  };

  function tagsOf({ data, dims }: Tensor, row: number, tokens: readonly number[]): string[] {
    const [, length, width] = dims as [number, number, number];
    return tokens.map((token) => {
      const from = (row * length + token) * width;
      const own = (data as Float32Array).subarray(from, from + width);
      let best = 0;
      for (let c = 1; c < width; c++) if ((own[c] as number) > (own[best] as number)) best = c;
      return tags[best] as string;
    });
  }
}

/** The tags of one kind; all others are outside. */
function only(tags: readonly string[], kind: string): string[] {
  return tags.map((tag) => (tag.slice(2) === kind ? tag : 'O'));
}

/** Spans of tokens as parts of the text. */
function marked(
  tags: readonly string[],
  tokens: readonly number[],
  offsets: readonly TokenOffset[],
): { from: number; to: number; label: string }[] {
  return spansOf(tags).flatMap(({ kind, from, to }) => {
    const [first, last] = [offsets[tokens[from] as number], offsets[tokens[to - 1] as number]];
    return first && last ? [{ from: first[0], to: last[1], label: kind }] : [];
  });
}
