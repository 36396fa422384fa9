import type { FurtherPrecision } from '../../export/precisions.ts';
import type { Compression } from '../../report/compression.ts';
import type { BaselineResult, BiasCorrection, LayerPrecision, ShippedCheck } from '../../report/result.ts';
import type { ShippedExits } from '../exits/shipped-exits.ts';

/** A model that the student is compared with, in a file of its own that does not ship. */
export interface ComparedModel extends Pick<BaselineResult, 'name' | 'title' | 'taughtBy'> {
  readonly file: string;
}

/** The student's file in a further precision. */
export interface ShippedFurther {
  readonly precision: FurtherPrecision;
  readonly file: string;
  /** What it may lose. */
  readonly maxDrop: number;
  /** Layers that stayed in float32. */
  readonly float32Layers: readonly string[];
  readonly layers: readonly LayerPrecision[];
}

/** The files that a run ships, and those of what the student is compared with. */
export interface Shipped {
  readonly student: string;
  /** null when the recipe asks for none. */
  readonly studentInt8: string | null;
  /** The same student from the labels alone comes first, where there is one. */
  readonly baselines: readonly ComparedModel[];
  /** Layers of the int8 student that stayed in float32. */
  readonly float32Layers: readonly string[];
  /** Layers of the int8 student whose weights have 4 bits. */
  readonly fourBitLayers: readonly string[];
  /** Of the int8 student; empty without one. */
  readonly layers: readonly LayerPrecision[];
  /** Of the int8 student, where its recipe wants its biases corrected. */
  readonly biasCorrection?: BiasCorrection;
  /** The student in further precisions, as its recipe asks. */
  readonly further: readonly ShippedFurther[];
  /** What the folder was read by, with the answers that are measured. */
  readonly check: ShippedCheck;
  /** How samples leave it early, where it has exits. */
  readonly exits?: ShippedExits;
  /** What the recipe's transforms did. */
  readonly compression?: Compression;
}

/** The float32 file in which a student's layers are nodes of one graph: its own, or, with exits, the one before it was cut at them. */
export function networkFile({ student, exits }: Pick<Shipped, 'student' | 'exits'>): string {
  return exits?.model.file ?? student;
}
