import { indexOfName, looseName, numberOfName, renaming } from '../data/labels/class-name.ts';
import { LimbeckError } from '../errors.ts';
import type { TeacherClasses } from './teacher-classes.ts';

/** The classes of the data, before the teacher is asked what it calls them. */
export interface DataClasses {
  readonly labels: readonly string[];
  /** `fixed`: their order and names stay (`data.labels`). `free`: they take the teacher's order, if that is known. */
  readonly order: 'fixed' | 'free';
  /** The data, for people. */
  readonly title: string;
}

/** A classifier, as far as its classes go. */
export interface ClassifierClasses {
  /** How many classes it tells apart; undefined where its file does not say. */
  readonly outputs: number | undefined;
  /** What names its classes, if anything does. */
  readonly classes?: TeacherClasses | undefined;
  /** The teacher, for people. */
  readonly title: string;
}

/** Which classes a run is about, and where they are in the data and in the teacher. */
export interface ClassMatch {
  /** The names of the classes, in the order of the student's outputs: those of the data and others of the teacher. */
  readonly labels: readonly string[];
  /** For each label of the data its class. */
  readonly classOfLabel: readonly number[];
  /** For each class the output of the teacher that stands for it. */
  readonly outputs: readonly number[];
  /** Classes that only the teacher knows. */
  readonly onlyTaught: readonly string[];
  /** Where nothing named the teacher's classes: what was assumed, as a sentence. */
  readonly assumed: string | undefined;
}

/**
 * Finds the teacher's output for every class of the data: by name (exactly; then whatever the case, spaces, hyphens and
 * underscores; then by the further names of `label2id`), by number (`LABEL_3` and 3 are output 3, where no output has
 * such a name), and by position only where nothing names the teacher's classes. Classes that only the teacher has are added.
 *
 * @throws LimbeckError `teacher.classes`, with both lists, where a class of the data cannot be found, or two are the same.
 */
export function matchClasses(data: DataClasses, teacher: ClassifierClasses): ClassMatch {
  const names = teacher.classes?.names ?? [];
  const width = teacher.outputs ?? Math.max(names.length, data.labels.length);
  checkWidth(data, teacher, width);
  const named = names.some((name) => name !== undefined);
  if (named) {
    const byName = outputsByName(data.labels, teacher, width);
    if (byName.every((output) => output !== undefined)) {
      checkDistinct(byName, data, teacher, width);
      return assemble(data, teacher, width, { outputs: byName });
    }
    const byNumber = outputsByNumber(data.labels, width);
    if (!byNumber || byName.some((output) => output !== undefined)) {
      const missing = data.labels.filter((_, i) => byName[i] === undefined);
      const shared = missing.map((label) => sharedName(label, names)).find((found) => found !== undefined);
      if (shared) {
        throw mismatch(
          `'${shared.label}' may be several outputs of the teacher: ${shared.outputs.join(', ')}`,
          data,
          teacher,
          width,
          'Name each output differently in teacher.labels (in their order), which counts more than config.json.',
        );
      }
      throw mismatch(`the teacher has no class ${list(missing)}`, data, teacher, width);
    }
    checkDistinct(byNumber, data, teacher, width);
    const assumed = `the labels are numbers: they were taken for the teacher's outputs, ${pairs(data.labels, (i) => names[byNumber[i] as number] ?? `output ${byNumber[i]}`)}`;
    return assemble(data, teacher, width, { outputs: byNumber, assumed, teacherNames: true });
  }
  const byNumber = outputsByNumber(data.labels, width);
  if (byNumber && new Set(byNumber).size === byNumber.length) {
    // A config.json with LABEL_0, LABEL_1 ... says as much.
    const assumed = teacher.classes
      ? undefined
      : `nothing names the teacher's classes: the label ${data.labels[0]} was taken for its output ${byNumber[0]}, and so on`;
    return assemble(data, teacher, width, { outputs: byNumber, assumed });
  }
  const outputs = data.labels.map((_, i) => i);
  const assumed = `nothing names the teacher's classes: its outputs were taken for ${data.labels.map((label) => `'${label}'`).join(', ')}, in this order`;
  return assemble(data, teacher, width, { outputs, assumed });
}

function assemble(
  { labels, order }: DataClasses,
  { classes }: ClassifierClasses,
  width: number,
  found: {
    readonly outputs: readonly (number | undefined)[];
    readonly assumed?: string | undefined;
    /** Whether classes whose names are free take those of the teacher. */
    readonly teacherNames?: boolean;
  },
): ClassMatch {
  const outputs = found.outputs as readonly number[];
  const taken = new Set(outputs);
  const all = labels.map((label, i) => {
    const output = outputs[i] as number;
    const name = found.teacherNames && order === 'free' ? (classes?.names[output] ?? label) : label;
    return { name, output, label: i as number | undefined };
  });
  const used = new Set(all.map(({ name }) => name));
  const numbers = labels.every((label) => numberOfName(label) !== undefined);
  const onlyTaught: string[] = [];
  for (let output = 0; output < width; output++) {
    if (taken.has(output)) continue;
    let name = classes?.names[output] ?? (numbers && !found.teacherNames ? `${output}` : `LABEL_${output}`);
    if (used.has(name)) name = `${name} (output ${output})`;
    used.add(name);
    onlyTaught.push(name);
    all.push({ name, output, label: undefined });
  }
  if (order === 'free') all.sort((a, b) => a.output - b.output);
  const classOfLabel = labels.map((_, i) => all.findIndex(({ label }) => label === i));
  const more =
    found.assumed && onlyTaught.length > 0 ? `; its other outputs are called ${onlyTaught.join(', ')}` : '';
  return {
    labels: all.map(({ name }) => name),
    classOfLabel,
    outputs: all.map(({ output }) => output),
    onlyTaught,
    assumed: found.assumed && `${found.assumed}${more}`,
  };
}

/** The output of each label by its name; undefined where no output, or more than one, has it. */
function outputsByName(
  labels: readonly string[],
  { classes }: ClassifierClasses,
  width: number,
): (number | undefined)[] {
  const named = (classes?.names ?? []).flatMap((name, output) =>
    name === undefined ? [] : [{ name, output }],
  );
  const synonyms = classes?.synonyms ?? [];
  const lookups = [
    outputsOf(named, (name) => name),
    outputsOf(synonyms, (name) => name),
    outputsOf(named, looseName),
    outputsOf(synonyms, looseName),
  ];
  return labels.map((label) => {
    for (const [i, lookup] of lookups.entries()) {
      const outputs = lookup.get(i < 2 ? label : looseName(label));
      if (outputs) return outputs.size === 1 ? [...outputs][0] : undefined;
    }
    const index = indexOfName(label);
    return index !== undefined && index < width ? index : undefined;
  });
}

/** The outputs that have a label's name, where several do (two birds and machines are called crane). */
function sharedName(
  label: string,
  names: readonly (string | undefined)[],
): { label: string; outputs: string[] } | undefined {
  const outputs = names.flatMap((name, output) =>
    name !== undefined && looseName(name) === looseName(label) ? [`${output} (${name})`] : [],
  );
  return outputs.length > 1 ? { label, outputs } : undefined;
}

function outputsOf(
  entries: readonly { readonly name: string; readonly output: number }[],
  key: (name: string) => string,
): Map<string, Set<number>> {
  const outputs = new Map<string, Set<number>>();
  for (const { name, output } of entries) {
    const at = key(name);
    outputs.set(at, (outputs.get(at) ?? new Set()).add(output));
  }
  return outputs;
}

/** The outputs that labels are by their numbers; undefined if one is no whole number of an output. */
function outputsByNumber(labels: readonly string[], width: number): number[] | undefined {
  const outputs = labels.map((label) => indexOfName(label) ?? numberOfName(label) ?? -1);
  return outputs.every((output) => Number.isInteger(output) && output >= 0 && output < width)
    ? outputs
    : undefined;
}

function checkWidth(data: DataClasses, teacher: ClassifierClasses, width: number): void {
  const { names = [], where } = teacher.classes ?? {};
  if (teacher.classes && teacher.outputs !== undefined && names.length !== teacher.outputs) {
    throw new LimbeckError(
      'teacher.classes',
      `the teacher has ${count(teacher.outputs, 'output')}, and ${count(names.length, 'class', 'classes')} are named for it`,
      {
        where: `${where}: ${list(teacherNames(teacher, names.length))}`,
        remedy: `Take the config.json that came with the model, or name its ${count(teacher.outputs, 'class', 'classes')} in teacher.labels.`,
      },
    );
  }
  if (width < data.labels.length) {
    throw mismatch(
      `the teacher has ${count(width, 'class', 'classes')}, the data ${data.labels.length}`,
      data,
      teacher,
      width,
    );
  }
}

/** Two classes of the data that are one of the teacher's cannot both be taught. */
function checkDistinct(
  outputs: readonly (number | undefined)[],
  data: DataClasses,
  teacher: ClassifierClasses,
  width: number,
): void {
  const again = outputs.findIndex((output, i) => outputs.indexOf(output) < i);
  if (again < 0) return;
  const output = outputs[again] as number;
  const first = data.labels[outputs.indexOf(output)];
  const name = teacher.classes?.names[output] ?? `output ${output}`;
  throw mismatch(
    `'${first}' and '${data.labels[again]}' are both the class '${name}' of the teacher`,
    data,
    teacher,
    width,
    `Make one class of them: ${renaming([data.labels[again] as string], first as string)}.`,
  );
}

function mismatch(
  problem: string,
  data: DataClasses,
  teacher: ClassifierClasses,
  width: number,
  remedy?: string,
): LimbeckError {
  const names = teacherNames(teacher, width);
  const known = teacher.classes
    ? `${teacher.classes.where}: ${list(names)}`
    : `${teacher.title}: ${count(width, 'output')} without names`;
  const marks = data.labels.filter((label) => ['-1', '-100'].includes(label));
  const unlabelled =
    marks.length > 0
      ? ` If ${list(marks)} marks rows without a label, say so: ${renaming(marks, null)}.`
      : '';
  return new LimbeckError('teacher.classes', problem, {
    where: `${data.title}: ${list(data.labels)}; ${known}`,
    remedy:
      (remedy ??
        "Name the teacher's classes as the data does, in the order of its outputs (teacher.labels), or the data's as the teacher does (data.renameLabels). To leave rows of other classes out, list the wanted ones in data.labels. A teacher of other classes can be trained on the labels (train: head).") +
      unlabelled,
  });
}

function teacherNames({ classes }: ClassifierClasses, width: number): string[] {
  return Array.from({ length: width }, (_, output) => classes?.names[output] ?? `LABEL_${output}`);
}

const MOST_NAMES = 40;

function list(names: readonly string[]): string {
  const shown = names.slice(0, MOST_NAMES).map((name) => `'${name}'`);
  if (names.length > MOST_NAMES) shown.push(`and ${names.length - MOST_NAMES} more`);
  return shown.join(', ');
}

function pairs(labels: readonly string[], name: (i: number) => string): string {
  const shown = labels.slice(0, MOST_NAMES).map((label, i) => `${label} is '${name(i)}'`);
  return shown.join(', ');
}

function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}
