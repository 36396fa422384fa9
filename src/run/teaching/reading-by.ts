import type { Batch, TokenSpans } from '../../data/batch.ts';
import type { Split } from '../../data/split.ts';
import type { TeacherReading } from '../context/task.ts';

/** What a teacher's processor makes of a batch. */
type Read = (batch: Batch, split: Split) => Pick<Batch, 'columns' | 'sizes'>;

/**
 * A teacher's way of reading, from what it makes of a batch.
 *
 * @param facts of its processor
 * @param answered where the tokens of a batch lie that its answers are about, where they are not its own
 */
export function readingBy(
  facts: Omit<TeacherReading, 'split' | 'batch'>,
  read: Read,
  answered?: (own: Batch) => TokenSpans | undefined,
): TeacherReading {
  const batch = (own: Batch, split: Split) => lazily(own, () => read(own, split), answered?.(own));
  return {
    ...facts,
    batch,
    split: (split) => (split instanceof ReadSplit ? split : new ReadSplit(split, batch)),
  };
}

/** A split, read otherwise. */
class ReadSplit implements Split {
  readonly #split: Split;
  readonly #read: TeacherReading['batch'];

  constructor(split: Split, read: TeacherReading['batch']) {
    this.#split = split;
    this.#read = read;
  }

  get name(): string {
    return this.#split.name;
  }

  get size(): number {
    return this.#split.size;
  }

  get buckets(): Split['buckets'] {
    return this.#split.buckets;
  }

  readBatch(bucket: number, indices: ArrayLike<number>, rows: number): Batch {
    return this.#read(this.#split.readBatch(bucket, indices, rows), this.#split);
  }

  example(ordinal: number): ReturnType<Split['example']> {
    return this.#split.example(ordinal);
  }

  close(): void {
    this.#split.close();
  }
}

/** A batch whose columns are made when they are looked at: where all answers are in the store, nobody does. */
function lazily(
  own: Batch,
  make: () => Pick<Batch, 'columns' | 'sizes'>,
  answered: TokenSpans | undefined,
): Batch {
  let made: Pick<Batch, 'columns' | 'sizes'> | undefined;
  const once = () => {
    made ??= make();
    return made;
  };
  const { rows, filled, keys, ordinals } = own;
  return {
    rows,
    filled,
    keys,
    ordinals,
    answered,
    get sizes() {
      return once().sizes;
    },
    get columns() {
      return once().columns;
    },
  };
}
