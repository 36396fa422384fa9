import type { Batch } from '../../data/batch.ts';
import type { Split } from '../../data/split.ts';
import type { LabelSpace } from '../../knowledge/label-space.ts';
import { elementCount, type Tensor, tensor } from '../../onnx/tensor.ts';
import type { Head } from '../../targets/head.ts';
import { readKnowledge } from '../batches/sample-batches.ts';
import type { TaskData } from '../context/task.ts';

const PREFIX = 'knowledge/';
/** Before what a teacher's answers say is true. */
const DECIDED = 'decided/';
type HeldOut = 'validation' | 'test';

/** What is true of the outputs that no column tells of: what the teacher said of the held-out samples, once it is asked. */
export class TaughtTruth {
  readonly #heads: readonly Head[];
  readonly #told = new Map<HeldOut, ReadonlyMap<string, LabelSpace>>();
  #sizes: ReadonlyMap<string, readonly number[]> | undefined;

  constructor(heads: readonly Head[]) {
    this.#heads = heads;
  }

  /** The teacher's answers to a split, by output. */
  tell(split: HeldOut, answers: ReadonlyMap<string, LabelSpace>): void {
    this.#told.set(split, answers);
  }

  /** Zeros of these sizes: for a plan, which times what nobody has said yet. */
  assume(sizes: ReadonlyMap<string, readonly number[]>): void {
    this.#sizes = sizes;
  }

  /** A batch of the split with a column `knowledge/OUTPUT` (or `decided/OUTPUT`, where answers decide for a class) for each of
   * the outputs that the teacher was asked about. */
  read(split: HeldOut, batch: Batch): Batch {
    const own = this.#heads.flatMap(({ output, target }): [string, Tensor][] => {
      const column = this.#column(split, output, batch);
      if (!column) return [];
      return [
        target.decide ? [`${DECIDED}${output}`, target.decide(column)] : [`${PREFIX}${output}`, column],
      ];
    });
    return { ...batch, columns: { ...batch.columns, ...Object.fromEntries(own) } };
  }

  #column(split: HeldOut, output: string, batch: Batch): Tensor | undefined {
    const space = this.#told.get(split)?.get(output);
    if (space) return readKnowledge(space, batch);
    const dims = this.#sizes?.get(output);
    const all = dims && [batch.rows, ...dims];
    return all && tensor('float32', all, new Float32Array(elementCount(all)));
  }
}

/** The data of a run, whose held-out splits tell of outputs without a field what the teacher says. */
export function withTaughtTruth(data: TaskData): TaskData {
  const heads = data.heads.filter(isTaughtAlone);
  if (heads.length === 0) return data;
  const taughtTruth = new TaughtTruth(heads);
  const { splits } = data.dataset;
  return withProperties(data, {
    taughtTruth,
    dataset: withProperties(data.dataset, {
      splits: {
        ...splits,
        validation: told(splits.validation, 'validation', taughtTruth),
        test: told(splits.test, 'test', taughtTruth),
      },
    }),
  });
}

/** Whether nothing but the teacher's answers says what is true of an output. */
export function isTaughtAlone({ labels }: Pick<Head, 'labels'>): boolean {
  return labels.startsWith(PREFIX) || labels.startsWith(DECIDED);
}

/** The same split, which reads more. */
function told(split: Split, name: HeldOut, truth: TaughtTruth): Split {
  return withProperties(split, {
    readBatch: (...place: Parameters<Split['readBatch']>) => truth.read(name, split.readBatch(...place)),
  });
}

/** The same object with other values for some of its properties; its methods are called on the object itself. */
function withProperties<T extends object>(object: T, properties: Partial<Record<keyof T, unknown>>): T {
  return new Proxy(object, {
    get(target, key) {
      if (key in properties) return properties[key as keyof T];
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
