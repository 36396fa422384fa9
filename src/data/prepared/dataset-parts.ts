import { LimbeckError } from '../../errors.ts';
import { type ColumnSpec, LABELS, ROW_WEIGHTS, weightName } from '../columns.ts';
import type { GroundTruth } from '../ground-truth.ts';
import type { BucketAxis, Processor } from '../modalities/modality.ts';
import type { OutputKeys } from '../output-keys.ts';
import { MOST_PARTS } from './record-layout.ts';

/** A named input of a data set: the columns of its rows that it is read from, and what encodes it. */
export interface DatasetInput {
  readonly name: string;
  /** Several where it is made of several columns: a question and a passage. */
  readonly fields: readonly string[];
  /** The key of the recipe that names them, for remedies; undefined where none does. */
  readonly key?: string | undefined;
  /** The modality's name, by which broken rows are counted. */
  readonly modality: string;
  readonly processor: Processor;
  /**
   * The absolute path of a file that a row names, relative to the row's folder; absent where values are not files.
   *
   * @throws LimbeckError for a path outside the folders that the recipe may reach
   */
  readonly resolve?: ((folder: string | undefined, path: string) => string) | undefined;
}

/** A named output of a data set; the first is the main one. */
export interface DatasetOutput {
  readonly name: string;
  readonly field: string;
  /** For remedies; those of a recipe's `outputs` when absent. */
  readonly keys?: OutputKeys | undefined;
  readonly truth: GroundTruth;
}

/** The axis on which samples are put in buckets; undefined where all have one shape. */
export function axisOf(inputs: readonly Pick<DatasetInput, 'name' | 'processor'>[]): BucketAxis | undefined {
  const axes = inputs.flatMap(({ processor }) => processor.axis ?? []);
  const [first] = axes;
  const other = axes.find(
    ({ name, buckets }) => name !== first?.name || `${buckets}` !== `${first?.buckets}`,
  );
  if (other) {
    throw new LimbeckError('data.options', 'the inputs have different lengths to pad to', {
      where: `inputs: ${first?.name} [${first?.buckets.join(', ')}], ${other.name} [${other.buckets.join(', ')}]`,
      remedy: 'Give all of them the same maxLength and buckets.',
    });
  }
  return first;
}

/** The name of an output's first column: the main output's is the plain one. */
export function labelColumn(outputs: readonly { readonly name: string }[], output: number): string {
  return output === 0 ? LABELS : `${LABELS}/${outputs[output]?.name}`;
}

/** The columns of each output. */
export function outputColumns(
  outputs: readonly DatasetOutput[],
  spaceOf: (name: string) => unknown,
): ColumnSpec[][] {
  return outputs.map(({ name, truth }, i) => [...truth.columns(spaceOf(name), labelColumn(outputs, i))]);
}

/**
 * Refuses names that would be one.
 *
 * @throws LimbeckError `data.options` with the keys of both
 */
export function checkParts(inputs: readonly DatasetInput[], outputs: readonly DatasetOutput[]): void {
  if (inputs.length === 0 || inputs.length > MOST_PARTS || outputs.length > MOST_PARTS) {
    throw new LimbeckError(
      'data.options',
      `there are ${inputs.length} inputs and ${outputs.length} outputs`,
      {
        where: 'inputs, outputs',
        remedy: `Give one input at least, and ${MOST_PARTS} of each at most.`,
      },
    );
  }
  const taken = new Map<string, string>();
  const take = (name: string, key: string, what: string) => {
    const other = taken.get(name);
    if (other !== undefined) {
      throw new LimbeckError('data.options', `two ${what} '${name}'`, {
        where: `${other} and ${key}`,
        remedy: 'Give one of them another name, or leave it out.',
      });
    }
    taken.set(name, key);
  };
  for (const { name } of inputs) take(name, `inputs.${name}`, 'parts of a sample are called');
  for (const { name } of outputs) take(name, `outputs.${name}`, 'parts of a sample are called');
  taken.clear();
  take(ROW_WEIGHTS, 'the weights of rows', 'columns are called');
  for (const { name, processor } of inputs) {
    for (const column of processor.columns) take(column.name, `inputs.${name}`, 'columns are called');
    if (inputs.length > 1) take(weightName(name), `inputs.${name}`, 'columns are called');
  }
  for (const [i, { name }] of outputs.entries())
    take(labelColumn(outputs, i), `outputs.${name}`, 'columns are called');
}
