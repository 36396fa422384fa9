import { keysInOutputs, type OutputKeys } from '../data/output-keys.ts';
import type { WantedColumns } from '../data/sources/source.ts';
import { findTarget } from '../targets/index.ts';
import { findTask, type TaskKind } from '../tasks/index.ts';
import type { InputPart } from './inputs.ts';
import { isVector, type OutputPart } from './outputs.ts';

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

/** The column of the short form with what is true; a table of boxes names that of the classes of boxes, and gathers both. */
function outputColumn(source: object): string | undefined {
  return 'boxFields' in source ? undefined : (source as TableSource).labelField;
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
    const labelField = outputColumn(data.source);
    return Object.entries(taskOf(task).outputs).map(([name, target]) => ({
      name,
      target,
      // Of vectors the teacher alone knows something.
      field: isVector(target) ? undefined : (labelField ?? findTarget(target)?.field ?? 'label'),
      options: defaultsOf(target),
    }));
  }
  return Object.entries(outputs).map(([name, { target, field, ...options }]: [string, OutputPart]) => ({
    name,
    target,
    field,
    options,
  }));
}

/** The options of a target of which a recipe says nothing. */
function defaultsOf(target: string): Readonly<Record<string, unknown>> {
  return findTarget(target)?.options.safeParse({}).data ?? {};
}

/** The columns that a recipe wants of a table, each with the key that names it. */
export function wantedColumns(recipe: StatedParts): WantedColumns {
  return {
    inputs: inputsOf(recipe).flatMap((part) => [
      ...part.fields.map((field) => ({
        name: field,
        key: inputKey(recipe, part) ?? 'data.source.textField',
      })),
      ...(typeof part.options.tools === 'string'
        ? [{ name: part.options.tools, key: `inputs.${part.name}.tools` }]
        : []),
    ]),
    outputs: outputsOf(recipe).flatMap((part) =>
      part.field === undefined
        ? []
        : [{ name: part.field, key: outputKeys(recipe, part).field ?? 'data.source.labelField' }],
    ),
  };
}

/** The key of this recipe that names the columns of an input; undefined where its source has no columns to be named. */
export function inputKey(recipe: StatedParts, { name }: Pick<RecipeInputPart, 'name'>): string | undefined {
  if (recipe.inputs) return `inputs.${name}.field`;
  return 'textField' in recipe.data.source ? 'data.source.textField' : undefined;
}

/** The keys of this recipe that say where an output's values are and which classes it has. */
export function outputKeys(
  recipe: StatedParts & { readonly data: { readonly labels?: unknown } },
  { name, target, options }: Pick<RecipeOutputPart, 'name' | 'target' | 'options'>,
): OutputKeys {
  const { field, labels } = keysInOutputs(name);
  // data.labels are the classes of an output that lists none itself.
  const inData = target === 'class' && options.labels === undefined;
  const isShort = !recipe.outputs;
  return {
    field: isShort ? outputColumn(recipe.data.source) && 'data.source.labelField' : field,
    labels: inData && (isShort || recipe.data.labels !== undefined) ? 'data.labels' : labels,
  };
}

function taskOf(kind: string): TaskKind {
  const found = findTask(kind);
  if (!found) throw new Error(`no task ${kind}`);
  return found;
}
