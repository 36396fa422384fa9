import type { ExitPolicy } from '../../compress/exits/choose-thresholds.ts';
import type { Exits } from '../../compress/exits/kept-exits.ts';
import type { ByPrecision } from '../../export/precisions.ts';

/** A network with exits in one precision: where it is, and how its samples leave. */
export interface ExitForm {
  /** The file of the network that answers at all exits at once, which does not ship. */
  readonly file: string;
  /** From the fastest to the one by which none leaves early; found on the validation split. */
  readonly policies: readonly ExitPolicy[];
  /** The one that ships. */
  readonly policy: ExitPolicy;
}

/** How a student with exits leaves. */
export interface ShippedExits {
  readonly exits: Exits;
  /** What leaving at each exit, and last at the end, costs, in products of one sample. */
  readonly costs: readonly number[];
  /** The same network without exits, in a file that does not ship. */
  readonly last: string;
  readonly model: ExitForm;
  readonly quantized?: ExitForm;
  readonly further: ByPrecision<ExitForm>;
}
