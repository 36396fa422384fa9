import { type Variant, variantOf } from '../../data/batch.ts';
import type { ChosenSamples, SamplePlace } from '../../data/batches/chosen-samples.ts';
import { Permutation } from '../../data/splits/permutation.ts';
import type { Engine } from '../../engine/engine.ts';
import type { AnswerGroups } from '../../objectives/answer-groups.ts';
import { anchorInput, importanceInput } from '../../objectives/ewc.ts';
import { float32, type Tensor } from '../../onnx/tensor.ts';
import { writeModel } from '../../onnx/write-model.ts';
import { type RandomStream, randomStream } from '../../random.ts';
import type { Student } from '../../students/student.ts';
import { takenFeeds } from '../../train/batch-feeds.ts';
import { compileFisher, fisherOutput, GUMBEL } from '../../train/compile-fisher.ts';
import { SessionsByVariant } from '../../train/sessions-by-variant.ts';
import { parameterTensors, trainedTensors } from '../../train/step-graph.ts';

export interface FisherOptions {
  readonly engine: Engine;
  readonly student: Student;
  /** Its parameters and running statistics. */
  readonly parameters: ReadonlyMap<string, Float32Array>;
  readonly samples: ChosenSamples;
  readonly classes: number;
  readonly groups: AnswerGroups;
  /** How many of the samples are looked at, at most. */
  readonly count: number;
  readonly seed: number;
}

/**
 * The diagonal of the Fisher information of a student on a task: for each parameter the mean squared gradient of the
 * log-likelihood of an answer that the student itself would give, sample by sample.
 */
export async function fisherDiagonal(options: FisherOptions): Promise<Map<string, Float64Array>> {
  const { engine, student, samples, classes, groups, seed } = options;
  const sessions = new SessionsByVariant(
    ({ sizes }: Variant) =>
      engine.load(writeModel(compileFisher(student, sizes, groups)), {
        title: 'the Fisher information',
        spinning: false,
        memoryPattern: false,
      }),
    ({ name }) => name,
  );
  const contents = trainedTensors(student);
  const feeds: Record<string, Tensor> = {};
  for (const [name, data] of options.parameters) feeds[name] = { ...(contents.get(name) as Tensor), data };
  const sums = new Map(
    [...parameterTensors(student)].map(([name, { data }]) => [name, new Float64Array(data.length)]),
  );
  const wanted = Object.fromEntries(student.parameters.map((name) => [fisherOutput(name), null]));
  const places = [...viewPlaces(samples)];
  const order = new Permutation(places.length, seed, 'fisher');
  const count = Math.min(options.count, places.length);
  try {
    for (let i = 0; i < count; i++) {
      const { bucket, index } = places[order.at(i)] as SamplePlace;
      const batch = samples.readBatch(bucket, [index], 1);
      const session = await sessions.get(variantOf(batch));
      const squares = await session.run(
        {
          ...feeds,
          ...takenFeeds(session, batch.columns),
          [GUMBEL]: gumbelNoise(randomStream(seed, 'fisher', i), classes),
        },
        wanted,
      );
      for (const [name, sum] of sums) {
        const own = squares[fisherOutput(name)].data as Float32Array;
        for (let e = 0; e < sum.length; e++) (sum[e] as number) += (own[e] as number) / count;
      }
    }
  } finally {
    await sessions.release();
  }
  return sums;
}

/** The positions in the view itself, whose batches are read. */
function* viewPlaces({ buckets }: ChosenSamples): Generator<SamplePlace> {
  for (const [bucket, { size }] of buckets.entries())
    for (let index = 0; index < size; index++) yield { bucket, index };
}

/** -log(-log u), u uniform in (0, 1): float32 [1, classes]. */
function gumbelNoise(random: RandomStream, classes: number): Tensor {
  const draw = () => -Math.log(-Math.log(Math.max(random.uniform(), Number.MIN_VALUE)));
  return float32(Array.from({ length: classes }, draw), [1, classes]);
}

/** What holds the parameters where earlier tasks left them: the springs of all of them as one (see `ewcTerm`). */
export class Springs {
  readonly #importance = new Map<string, Float64Array>();
  /** Importance times parameters, summed over the tasks. */
  readonly #pull = new Map<string, Float64Array>();
  readonly #dims: ReadonlyMap<string, readonly number[]>;

  constructor(student: Student) {
    this.#dims = new Map([...parameterTensors(student)].map(([name, { dims }]) => [name, dims]));
  }

  /** Adds the springs of a task that has been learnt. */
  add(fisher: ReadonlyMap<string, Float64Array>, parameters: ReadonlyMap<string, Float32Array>): void {
    for (const [name, own] of fisher) {
      const values = parameters.get(name) as Float32Array;
      const importance = this.#importance.get(name) ?? new Float64Array(own.length);
      const pull = this.#pull.get(name) ?? new Float64Array(own.length);
      own.forEach((value, i) => {
        (importance[i] as number) += value;
        (pull[i] as number) += value * (values[i] as number);
      });
      this.#importance.set(name, importance);
      this.#pull.set(name, pull);
    }
  }

  /** The inputs that the term `ewc` asks for. */
  feeds(): Record<string, Tensor> {
    const feeds: Record<string, Tensor> = {};
    for (const [name, importance] of this.#importance) {
      const pull = this.#pull.get(name) as Float64Array;
      const dims = this.#dims.get(name) as readonly number[];
      // Where nothing holds a parameter it does not matter where.
      const anchor = Float32Array.from(pull, (value, i) =>
        importance[i] === 0 ? 0 : value / (importance[i] as number),
      );
      feeds[importanceInput(name)] = float32(Float32Array.from(importance), dims);
      feeds[anchorInput(name)] = float32(anchor, dims);
    }
    return feeds;
  }
}
