import type { Batch } from '../data/batch.ts';
import { SEQUENCE } from '../data/columns.ts';
import type { LabelSpace } from './label-space.ts';

/**
 * Where the answers of one tap are kept: one space, or (where the length of the text is part of their shape) one for each
 * length that texts are padded to.
 */
export class TapSpaces {
  readonly #byLength: ReadonlyMap<number | undefined, LabelSpace>;

  constructor(byLength: ReadonlyMap<number | undefined, LabelSpace>) {
    this.#byLength = byLength;
  }

  /** A tap whose answers have one shape. */
  static of(space: LabelSpace): TapSpaces {
    return new TapSpaces(new Map([[undefined, space]]));
  }

  /** The space that holds the answers about a batch's samples. */
  at({ sizes }: Pick<Batch, 'sizes'>): LabelSpace {
    const space = this.#byLength.get(undefined) ?? this.#byLength.get(sizes[SEQUENCE]);
    if (!space) throw new Error(`no answers were kept for texts of ${sizes[SEQUENCE]} tokens`);
    return space;
  }
}
