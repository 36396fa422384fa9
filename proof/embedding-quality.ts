import { variantName } from '../src/data/batch.ts';
import type { Tokenizer } from '../src/data/modalities/text/tokenizer/tokenizer.ts';
import type { Engine } from '../src/engine/engine.ts';
import { spearman } from '../src/metrics/correlation.ts';
import type { MetricInfo } from '../src/metrics/metric.ts';
import { recallByQuery } from '../src/metrics/neighbour-recall.ts';
import { dot } from '../src/metrics/vector-pairs.ts';
import { labelsTerm } from '../src/objectives/cross-entropy.ts';
import { float32, int64, type Tensor, tensor } from '../src/onnx/tensor.ts';
import { randomStream } from '../src/random.ts';
import { buildClassifierHead } from '../src/students/classifier-head.ts';
import { headOptions } from '../src/teachers/teaching-options.ts';
import { adamw } from '../src/train/adamw.ts';
import { takenFeeds } from '../src/train/batch-feeds.ts';
import { trainStudent } from '../src/train/training-loop.ts';
import type { Noun, Nouns } from './noun-glosses.ts';

const ROWS = 64;
const MAX_LENGTH = 64;
/** Of test nouns, whose similarity is compared with that of the hierarchy. */
const PAIRS = 20_000;
/** Two drawn nouns are nearly always far apart: of every other pair the second is the nearest of so many. */
const DRAWN = 16;
/** Training nouns whose classes a probe learns. */
const PROBED = 4000;

/** What vectors are good for, measured by what no model was told. */
export interface EmbeddingQuality {
  /** Spearman between cosines and the path similarity of the noun hierarchy, over pairs of test nouns, near and far. */
  readonly hierarchy: number;
  /** How often an example sentence of a test noun is among the ten nearest ones of its definition. */
  readonly retrieval: number;
  /** Candidates of the retrieval. */
  readonly candidates: number;
  /** Accuracy of a linear classifier on the frozen vectors: 26 classes, test nouns. */
  readonly probe: number;
}

/** Measures the vectors of an ONNX file with the output `sentence_embedding`. */
export async function embeddingQuality(
  model: string | Uint8Array,
  nouns: Nouns,
  context: { readonly engine: Engine; readonly tokenizer: Tokenizer; readonly seed: number },
): Promise<EmbeddingQuality> {
  const { engine, tokenizer, seed } = context;
  const session = await engine.load(model);
  const embed = async (texts: readonly string[]): Promise<Float32Array[]> => {
    const ids = texts.map((text) => tokenizer.encode(text, MAX_LENGTH));
    const order = ids.map((_, i) => i).sort((a, b) => (ids[a]?.length ?? 0) - (ids[b]?.length ?? 0));
    const vectors = new Array<Float32Array>(texts.length);
    for (let from = 0; from < order.length; from += ROWS) {
      const rows = order.slice(from, from + ROWS);
      const own = rows.map((row) => ids[row] as ArrayLike<number>);
      const { sentence_embedding: answer } = await session.run(takenFeeds(session, padded(own)), {
        sentence_embedding: null,
      });
      const width = (answer as Tensor).dims[1] as number;
      rows.forEach((row, i) => {
        vectors[row] = ((answer as Tensor).data as Float32Array).slice(i * width, (i + 1) * width);
      });
    }
    return vectors;
  };
  const definitions = (all: readonly Noun[]) => embed(all.map(({ definition }) => definition));
  try {
    const test = await definitions(nouns.test);
    const told = nouns.test.flatMap(({ examples: [first] }, i) => (first ? [{ i, first }] : []));
    const examples = await embed(told.map(({ first }) => first));
    const found = recallByQuery(
      told.map(({ i }) => Float64Array.from(test[i] as Float32Array)),
      examples.map((vector) => Float64Array.from(vector)),
      10,
    );
    // Splits are in the order of their texts' lengths.
    const stride = Math.ceil(nouns.train.length / PROBED);
    const train = nouns.train.filter((_, i) => i % stride === 0);
    return {
      hierarchy: hierarchySpearman(nouns, test),
      retrieval: found.reduce((sum, value) => sum + value, 0) / told.length,
      candidates: told.length,
      probe: await probeAccuracy(engine, seed, nouns.classes, {
        train: labelled(train, await definitions(train)),
        validation: labelled(nouns.validation, await definitions(nouns.validation)),
        test: labelled(nouns.test, test),
      }),
    };
  } finally {
    await session.release();
  }
}

function padded(ids: readonly ArrayLike<number>[]): Record<string, Tensor> {
  const length = Math.max(...ids.map((own) => own.length));
  const dims = [ids.length, length];
  const row = (own: ArrayLike<number>, value: (i: number) => number) =>
    Array.from({ length }, (_, i) => (i < own.length ? value(i) : 0));
  return {
    input_ids: int64(
      ids.flatMap((own) => row(own, (i) => own[i] as number)),
      dims,
    ),
    attention_mask: int64(
      ids.flatMap((own) => row(own, () => 1)),
      dims,
    ),
  };
}

function hierarchySpearman({ test, hierarchy }: Nouns, vectors: readonly Float32Array[]): number {
  const random = randomStream(0, 'pairs of nouns');
  const [cosines, paths]: [number[], number[]] = [[], []];
  for (let pair = 0; pair < PAIRS; pair++) {
    const a = random.integer(test.length);
    const others = Array.from(
      { length: pair % 2 === 0 ? 1 : DRAWN },
      () => (a + 1 + random.integer(test.length - 1)) % test.length,
    );
    const path = (other: number) =>
      hierarchy.pathSimilarity((test[a] as Noun).offset, (test[other] as Noun).offset);
    const b = others.reduce((best, other) => (path(other) > path(best) ? other : best));
    const [va, vb] = [vectors[a], vectors[b]] as [Float32Array, Float32Array];
    cosines.push(dot(va, vb) / (Math.sqrt(dot(va, va) * dot(vb, vb)) || 1));
    paths.push(path(b));
  }
  return spearman(cosines, paths);
}

interface LabelledVectors {
  readonly vectors: readonly Float32Array[];
  readonly labels: readonly number[];
}

const labelled = (nouns: readonly Noun[], vectors: readonly Float32Array[]): LabelledVectors => ({
  vectors,
  labels: nouns.map(({ label }) => label),
});

/** Trains a linear classifier as a run trains a teacher's head; the validation split chooses its epoch. */
async function probeAccuracy(
  engine: Engine,
  seed: number,
  classes: number,
  data: {
    readonly train: LabelledVectors;
    readonly validation: LabelledVectors;
    readonly test: LabelledVectors;
  },
): Promise<number> {
  const { epochs, learningRate, weightDecay, batchSize } = headOptions.parse({});
  const { train } = data;
  const width = (train.vectors[0] as Float32Array).length;
  const batchesPerEpoch = Math.floor(train.labels.length / batchSize);
  const sizes = { batch: batchSize };
  const { parameters } = await trainStudent({
    engine,
    student: buildClassifierHead({ width, classes }, randomStream(seed, 'probe')),
    variants: { [variantName(sizes)]: sizes },
    terms: [labelsTerm({ weight: 1 })],
    optimizer: adamw({ weightDecay }),
    schedule: {
      peak: learningRate,
      totalSteps: epochs * batchesPerEpoch,
      warmup: 0.05,
      decay: 'cosine',
    },
    batches: {
      batchesPerEpoch,
      batch({ epoch, index }) {
        const order = shuffled(train.labels.length, seed, epoch);
        const rows = Array.from(order.slice(index * batchSize, (index + 1) * batchSize));
        const embedding = new Float32Array(batchSize * width);
        rows.forEach((row, i) => {
          embedding.set(train.vectors[row] as Float32Array, i * width);
        });
        return {
          variant: variantName(sizes),
          rows: batchSize,
          feeds: {
            embedding: float32(embedding, [batchSize, width]),
            labels: tensor(
              'int32',
              [batchSize],
              Int32Array.from(rows, (row) => train.labels[row] as number),
            ),
            row_weights: float32(new Array<number>(batchSize).fill(1), [batchSize]),
          },
        };
      },
    },
    evaluate: async (found) => ({ accuracy: accuracyOf(found, data.validation, classes) }),
    selection: { metric: ACCURACY },
  });
  return accuracyOf(parameters, data.test, classes);
}

/** The numbers below `count` in an order of the epoch's own. */
function shuffled(count: number, seed: number, epoch: number): Uint32Array {
  const random = randomStream(seed, 'probe', epoch);
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = random.integer(i + 1);
    [order[i], order[j]] = [order[j] as number, order[i] as number];
  }
  return order;
}

const ACCURACY: MetricInfo = { name: 'accuracy', title: 'accuracy', better: 'higher', format: 'percent' };

function accuracyOf(
  parameters: ReadonlyMap<string, Float32Array>,
  { vectors, labels }: LabelledVectors,
  classes: number,
): number {
  const weight = parameters.get('head/weight') as Float32Array;
  const bias = parameters.get('head/bias') as Float32Array;
  let right = 0;
  vectors.forEach((vector, row) => {
    const scores = Float64Array.from(bias);
    for (let i = 0; i < vector.length; i++)
      for (let k = 0; k < classes; k++)
        (scores[k] as number) += (vector[i] as number) * (weight[i * classes + k] as number);
    if (scores.indexOf(Math.max(...scores)) === labels[row]) right++;
  });
  return right / labels.length;
}
