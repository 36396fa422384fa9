import type { Tensor } from '../../onnx/tensor.ts';
import { numbersIn } from '../../platform/bytes.ts';
import { join } from '../../platform/paths.ts';
import { DATASET_SPLITS, type DatasetSplit, type DatasetStatistics } from '../dataset.ts';
import { SharedInputs } from '../findings/shared-inputs.ts';
import type { FoundTruth } from '../ground-truth.ts';
import { TEST, TRAIN, VALIDATION } from '../splits/split-assignment.ts';
import { AppendingFile } from './appending-file.ts';
import { emptyColumn } from './batch-columns.ts';
import { tallyOf } from './class-tally.ts';
import { bucketFileName, type FileSum } from './dataset-manifest.ts';
import {
  axisOf,
  type DatasetInput,
  type DatasetOutput,
  labelColumn,
  outputColumns,
} from './dataset-parts.ts';
import {
  INPUT_HEAD,
  inputBit,
  outputBit,
  PRESENT_AT,
  type RecordLayout,
  recordLayout,
  shapeOf,
} from './record-layout.ts';
import type { SampleStage, StagedRecord } from './sample-stage.ts';

export interface WrittenSplits {
  readonly sizes: Record<DatasetSplit, number[]>;
  /** Samples of each class; in `train` by their true class. */
  readonly classCounts: Record<DatasetSplit, number[]>;
  /** Samples that are in no split, by what they were marked as. */
  readonly left: Record<number, number>;
  /** What was measured of the training samples, by input. */
  readonly measured: Record<string, unknown>;
  readonly files: Record<string, FileSum>;
  /** Of outputs whose values have parts that may be unknown. */
  readonly parts: NonNullable<DatasetStatistics['parts']>;
  /** Of outputs whose samples may have several classes, and of classes beside the main output. */
  readonly tallies: NonNullable<DatasetStatistics['tallies']>;
  /** Of each of several inputs. */
  readonly shared: NonNullable<DatasetStatistics['shared']>;
}

/** Copies every staged record into the file of its split and bucket, with the values of its outputs. */
export function writeSplits(what: {
  readonly folder: string;
  readonly stage: SampleStage;
  readonly buckets: readonly number[];
  readonly inputs: readonly DatasetInput[];
  readonly outputs: readonly DatasetOutput[];
  /** Of each output. */
  readonly truths: readonly FoundTruth[];
  /** The training samples that keep their labels; undefined for all. */
  readonly labelled: ReadonlySet<number> | undefined;
}): WrittenSplits {
  const { folder, stage, buckets, inputs, outputs, truths, labelled } = what;
  const classes = truths[0]?.classes?.length ?? 0;
  const writers = recordWriters(what);
  const bySplit = <T>(make: (split: DatasetSplit) => T) =>
    Object.fromEntries(DATASET_SPLITS.map((split) => [split, make(split)])) as Record<DatasetSplit, T>;
  const all: AppendingFile[] = [];
  const files = bySplit((split) =>
    buckets.map((length) => {
      const file = new AppendingFile(join(folder, bucketFileName(split, length)));
      all.push(file);
      return file;
    }),
  );
  const sizes = bySplit(() => buckets.map(() => 0));
  const classCounts = bySplit(() => new Array<number>(classes).fill(0));
  const left: Record<number, number> = {};
  const measurements = inputs.map(({ processor }) => processor.measure?.());
  const parts = outputs.map(() => bySplit(() => ({ all: 0, unknown: 0 })));
  const tallies = outputs.map((_, i) => tallyOf(truths[i], i));
  const shared = inputs.length > 1 ? inputs.map(() => new SharedInputs()) : [];
  const append = (split: DatasetSplit, bucket: number, record: Uint8Array, label: number) => {
    for (const [i, met] of (writers[bucket] as RecordWriter).parts.entries()) {
      const counts = (parts[i] as (typeof parts)[0])[split];
      counts.all += met?.all ?? 0;
      counts.unknown += met?.unknown ?? 0;
    }
    (files[split][bucket] as AppendingFile).append(record);
    (sizes[split][bucket] as number)++;
    if (label >= 0 && label < classes) (classCounts[split][label] as number)++;
  };
  try {
    for (const staged of stage.records()) {
      const { sample, bucket } = staged;
      const split = stage.split(sample);
      const met = stage.label(sample);
      const label = met < 0 ? -1 : (truths[0]?.classOf?.(met) ?? met);
      const writer = writers[bucket] as RecordWriter;
      const put = (name: DatasetSplit, record: Uint8Array) => {
        append(name, bucket, record, label);
        for (const [i, input] of name === 'labelled' ? [] : shared.entries()) {
          const bytes = writer.input(record, i);
          if (bytes) input.add(bytes, name === 'train');
        }
        for (const [i, tally] of tallies.entries()) tally?.add(name, staged.outputs[i]);
      };
      if (split === TEST) put('test', writer.write(staged, true));
      else if (split === VALIDATION) put('validation', writer.write(staged, true));
      else if (split === TRAIN) {
        const known = hasValue(staged, truths[0], label) && (labelled === undefined || labelled.has(sample));
        const record = writer.write(staged, known);
        for (const [i, measurement] of measurements.entries()) {
          const bytes = measurement && writer.input(record, i);
          if (bytes) measurement.add(bytes);
        }
        put('train', record);
        if (known) put('labelled', record);
      } else left[split] = (left[split] ?? 0) + 1;
    }
    const sums = Object.fromEntries(
      DATASET_SPLITS.flatMap((split) =>
        files[split].map((file, bucket) => [bucketFileName(split, buckets[bucket] as number), file.finish()]),
      ),
    );
    const measured = Object.fromEntries(
      inputs.flatMap(({ name }, i) => (measurements[i] ? [[name, measurements[i].result()]] : [])),
    );
    const counted = outputs.flatMap(({ name }, i) => (truths[i]?.parts ? [[name, parts[i]]] : []));
    const tallied = outputs.flatMap(({ name }, i) => (tallies[i] ? [[name, tallies[i].counts]] : []));
    const told = inputs.flatMap(({ name }, i) => (shared[i] ? [[name, shared[i].result()]] : []));
    return {
      ...{ sizes, classCounts, left, measured, files: sums },
      ...{
        parts: Object.fromEntries(counted),
        tallies: Object.fromEntries(tallied),
        shared: Object.fromEntries(told),
      },
    };
  } finally {
    for (const file of all) file.close();
  }
}

/** Whether anything is known of a sample: of a class that the run does not have, nothing is. */
function hasValue({ outputs }: StagedRecord, main: FoundTruth | undefined, label: number): boolean {
  return outputs.some((value, i) => value !== undefined && (i > 0 || !main?.classOf || label >= 0));
}

/** One for each bucket. */
function recordWriters(what: Parameters<typeof writeSplits>[0]): RecordWriter[] {
  const { buckets, inputs, outputs, truths } = what;
  const axis = axisOf(inputs)?.name;
  const processors = inputs.map(({ processor }) => processor);
  const spaces = new Map(outputs.map(({ name }, i) => [name, truths[i]?.space]));
  const columns = outputColumns(outputs, (name) => spaces.get(name));
  return buckets.map(
    (length) => new RecordWriter(recordLayout(length, processors, columns, axis), axis, outputs, truths),
  );
}

/** Completes the staged records of a bucket. */
class RecordWriter {
  readonly #layout: RecordLayout;
  readonly #outputs: readonly DatasetOutput[];
  readonly #truths: readonly FoundTruth[];
  readonly #record: Uint8Array;
  readonly #numbers: DataView;
  /** A row of each output's columns. */
  readonly #columns: readonly Record<string, Tensor>[];
  /** Of the values that were written last, by output. */
  readonly parts: (ReturnType<NonNullable<FoundTruth['parts']>> | undefined)[] = [];

  constructor(
    layout: RecordLayout,
    axis: string | undefined,
    outputs: readonly DatasetOutput[],
    truths: readonly FoundTruth[],
  ) {
    this.#layout = layout;
    this.#outputs = outputs;
    this.#truths = truths;
    this.#record = new Uint8Array(layout.bytes);
    this.#numbers = numbersIn(this.#record);
    this.#columns = layout.outputs.map((places) =>
      Object.fromEntries(
        places.map(({ spec }) => [spec.name, emptyColumn(spec, [1, ...shapeOf(spec, axis, layout.length)])]),
      ),
    );
  }

  /** The whole record, in a buffer that the next call overwrites; without values where they are hidden. */
  write({ record, outputs }: StagedRecord, known: boolean): Uint8Array {
    const whole = this.#record;
    whole.fill(0, record.length);
    whole.set(record);
    const numbers = this.#numbers;
    let present = numbers.getUint32(PRESENT_AT, true);
    for (let i = 0; i < outputs.length; i++) {
      const value = outputs[i];
      this.parts[i] = undefined;
      const written = known && value !== undefined && this.#writeValue(i, value);
      if (!written) present &= ~outputBit(i);
    }
    numbers.setUint32(PRESENT_AT, present >>> 0, true);
    return whole;
  }

  /** The bytes of an input of a record; undefined where the sample has none. */
  input(record: Uint8Array, input: number): Uint8Array | undefined {
    const numbers = numbersIn(record);
    if ((numbers.getUint32(PRESENT_AT, true) & inputBit(input)) === 0) return undefined;
    const { at } = this.#layout.inputs[input] as RecordLayout['inputs'][0];
    return record.subarray(at + INPUT_HEAD, at + INPUT_HEAD + numbers.getUint32(at, true));
  }

  /** Writes a value's columns; false for a class that the run does not have. */
  #writeValue(output: number, value: unknown): boolean {
    const { truth } = this.#outputs[output] as DatasetOutput;
    const found = this.#truths[output] as FoundTruth;
    const final = found.final ? found.final(value) : value;
    if (found.classOf && typeof final === 'number' && final < 0) return false;
    const columns = this.#columns[output] as Record<string, Tensor>;
    const places = this.#layout.outputs[output] ?? [];
    for (const { spec } of places) resetColumn(columns[spec.name] as Tensor, spec.pad);
    this.parts[output] = found.parts?.(final);
    truth.write(final, columns, 0, found.space, labelColumn(this.#outputs, output));
    for (const { spec, at, bytes } of places) {
      const { buffer, byteOffset } = (columns[spec.name] as Tensor).data as Float32Array;
      this.#record.set(new Uint8Array(buffer, byteOffset, bytes), at);
    }
    return true;
  }
}

function resetColumn({ data }: Tensor, pad: number): void {
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) data.fill(BigInt(pad));
  else (data as Float32Array).fill(pad);
}
