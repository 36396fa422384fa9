import { type Batch, columnOf } from '../../data/batch.ts';
import { ATTENTION_MASK, INPUT_IDS } from '../../data/columns.ts';
import type { Split } from '../../data/split.ts';
import { fitsKneserNey, KneserNey, type Trigram } from '../../metrics/kneser-ney.ts';
import type { ModelResult, ReferenceResult } from '../../report/result.ts';
import type { Section } from '../../report/targets/section.ts';
import { bytesColumn, type VocabularySpace } from '../../targets/next-tokens-truth.ts';
import { splitBatches } from '../batches/sample-batches.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData } from '../context/task.ts';

/** Tokens of training texts that are counted, at most: 160 MB. */
const MOST_COUNTED = 4_000_000;
const ROWS = 256;

/**
 * What a language model's numbers are worth: those of guessing, where all tokens are as likely, and of a trigram model of the training
 * texts, on the tokens that models are asked for. Nothing of models that are none.
 */
export function tokenReferences(
  run: Pick<RunContext, 'checkInterrupted'>,
  { heads, dataset }: Pick<TaskData, 'heads' | 'dataset'>,
): ReferenceResult[] {
  const [head, ...others] = heads;
  if (!head?.target.readsDocuments || others.length > 0) return [];
  const { vocabulary } = head.space as VocabularySpace;
  const asked = { labels: head.labels, checkInterrupted: () => run.checkInterrupted() };
  const { test, labelled } = dataset.splits;
  const guessing = reference(test, asked, () => 1 / vocabulary);
  const uniform = {
    name: 'uniform',
    title: `guessing among ${vocabulary.toLocaleString('en')} tokens`,
    metrics: guessing,
  };
  if (!fitsKneserNey(vocabulary)) return [uniform];
  const model = new KneserNey(vocabulary, trainingTrigrams(labelled, asked), MOST_COUNTED);
  const counted = model.counted.toLocaleString('en');
  return [
    uniform,
    {
      name: 'trigram',
      title: `a trigram model of ${counted} training tokens (Kneser-Ney)`,
      metrics: reference(test, asked, (trigram) => model.probability(trigram)),
    },
  ];
}

interface Asked {
  readonly labels: string;
  checkInterrupted(): void;
}

/** Metrics of a model that says one token's probability, as `perplexity` and `bitsPerByte` are of all others. */
function reference(
  split: Split,
  { labels, checkInterrupted }: Asked,
  probability: (trigram: Trigram) => number,
): ModelResult['metrics'] {
  let [loss, tokens, bytes] = [0, 0, 0];
  for (const batch of splitBatches(split, ROWS)) {
    checkInterrupted();
    for (const trigram of trigramsOf(batch, labels)) {
      loss -= Math.log(probability(trigram));
      tokens++;
    }
    const lengths = columnOf(batch, bytesColumn(labels)).data as Float32Array;
    for (let row = 0; row < batch.filled; row++) bytes += lengths[row] as number;
  }
  return tokens > 0 ? { perplexity: Math.exp(loss / tokens), bitsPerByte: loss / Math.LN2 / bytes } : {};
}

/** Of a split with more tokens than are counted, evenly from all of it. */
function* trainingTrigrams(split: Split, { labels, checkInterrupted }: Asked): Generator<Trigram> {
  const most = split.buckets.reduce((sum, { size, length = 0 }) => sum + size * length, 0);
  const every = Math.ceil(most / MOST_COUNTED);
  let place = 0;
  for (const batch of splitBatches(split, ROWS)) {
    if (place++ % every !== 0) continue;
    checkInterrupted();
    yield* trigramsOf(batch, labels);
  }
}

/** The tokens that a batch asks for, each with the two before it; at the beginning of a row there is one before. */
export function* trigramsOf(batch: Batch, labels: string): Generator<Trigram> {
  // The low halves of the int64s, as no id needs more.
  const [ids, mask] = [INPUT_IDS, ATTENTION_MASK].map(
    (name) => new Int32Array((columnOf(batch, name).data as BigInt64Array).buffer),
  ) as [Int32Array, Int32Array];
  const { data, dims } = columnOf(batch, labels);
  const length = dims[1] as number;
  for (let row = 0; row < batch.filled; row++) {
    let before = -1;
    for (let at = row * length; at < (row + 1) * length; at++) {
      if (mask[2 * at] !== 1) continue;
      const last = ids[2 * at] as number;
      const next = (data as Int32Array)[at] as number;
      if (next >= 0) yield [before, last, next];
      before = last;
    }
  }
}

/** The references in the report, with the models beside them. */
export function referenceSection(
  references: readonly ReferenceResult[],
  models: readonly { readonly title: string; readonly metrics: ModelResult['metrics'] }[],
): Section {
  if (references.length === 0) return [];
  const row = ({ title, metrics }: (typeof models)[0]) => [
    title,
    metrics.perplexity ?? null,
    metrics.bitsPerByte ?? null,
  ];
  return [
    {
      block: 'table',
      title: 'What the numbers are worth',
      about:
        'On the tokens of the test texts. The trigram model knows the two tokens before and nothing else; it is counted on the training texts alone.',
      columns: [
        { title: '', format: 'text' },
        { title: 'perplexity', format: 'number' },
        { title: 'bits per byte', format: 'number' },
      ],
      rows: [...references, ...models].map(row),
    },
  ];
}
