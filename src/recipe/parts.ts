import type { WantedColumns } from '../data/sources/source.ts';
import { findTarget } from '../targets/index.ts';
import { findTask, type TaskKind } from '../tasks/index.ts';
import type { InputPart } from './inputs.ts';
import type { OutputPart } from './outputs.ts';

/** What a recipe says of its inputs and outputs. */
export interface StatedParts {
  readonly inputs?: Readonly<Record<string, InputPart>> | undefined;
  readonly outputs?: Readonly<Record<string, OutputPart>> | undefined;
  readonly task: string;
  readonly data: { readonly source: object };
}

/** One of the inputs of a recipe, short forms written out. */
export interface RecipeInputPart {
  readonly name: string;
  readonly modality: string;
  readonly fields: readonly string[];
  /** Beside modality and field, as the modality declares them. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** One of the outputs of a recipe, short forms written out. */
export interface RecipeOutputPart {
  readonly name: string;
  /** The kind of its target. */
  readonly target: string;
  /** Undefined for one of which only the teacher knows anything. */
  readonly field: string | undefined;
  /** Beside target and field, as the target declares them. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** Where the columns of the short form are named. */
interface TableSource {
  readonly textField?: string;
  readonly labelField?: string;
}

/** The inputs of a recipe. Without a list of them: those of its task. */
export function inputsOf({
  inputs,
  task,
  data,
}: Pick<StatedParts, 'inputs' | 'task' | 'data'>): RecipeInputPart[] {
  if (!inputs) {
    const { textField = 'text' } = data.source as TableSource;
    return Object.entries(taskOf(task).inputs).map(([name, modality]) => ({
      name,
      modality,
      fields: [modality === 'text' ? textField : name],
      options: {},
    }));
  }
  return Object.entries(inputs).map(([name, { modality, field, ...options }]: [string, InputPart]) => ({
    name,
    modality,
    fields: [field].flat() as string[],
    options,
  }));
}

/** The outputs of a recipe. Without a list of them: those of its task. */
export function outputsOf({
  outputs,
  task,
  data,
}: Pick<StatedParts, 'outputs' | 'task' | 'data'>): RecipeOutputPart[] {
  if (!outputs) {
    const { labelField } = data.source as TableSource;
    return Object.entries(taskOf(task).outputs).map(([name, target]) => ({
      name,
      target,
      // Of vectors the teacher alone knows something.
      field: isVector(target) ? undefined : (labelField ?? findTarget(target)?.field ?? 'label'),
      options: {},
    }));
  }
  return Object.entries(outputs).map(([name, { target, field, ...options }]: [string, OutputPart]) => ({
    name,
    target,
    field,
    options,
  }));
}

/** The columns that a recipe wants of a table, each with the key that names it. */
export function wantedColumns(recipe: StatedParts): WantedColumns {
  return {
    inputs: inputsOf(recipe).flatMap(({ name, fields }) =>
      fields.map((field) => ({
        name: field,
        key: recipe.inputs ? `inputs.${name}.field` : 'data.source.textField',
      })),
    ),
    outputs: outputsOf(recipe).flatMap(({ name, field }) =>
      field === undefined
        ? []
        : [{ name: field, key: recipe.outputs ? `outputs.${name}.field` : 'data.source.labelField' }],
    ),
  };
}

/** Whether a target needs no truth, and has no classes that data would name. */
function isVector(kind: string): boolean {
  const target = findTarget(kind);
  return target?.spaceOf !== undefined && target.classes === undefined;
}

function taskOf(kind: string): TaskKind {
  const found = findTask(kind);
  if (!found) throw new Error(`no task ${kind}`);
  return found;
}
