import { z } from 'zod';
import { indexOfName } from '../data/labels/class-name.ts';
import { LimbeckError } from '../errors.ts';
import { readSettingsJson } from '../settings-file.ts';

/** Which class each output of a classifier is, as far as something says so. */
export interface TeacherClasses {
  /** The name of each output, in their order; `undefined` for an output without one, or with a number's (`LABEL_3`). */
  readonly names: readonly (string | undefined)[];
  /** Further names of outputs: what `label2id` has beside `id2label`. */
  readonly synonyms: readonly { readonly name: string; readonly output: number }[];
  /** What says so, for people: a file, or a key of the recipe. */
  readonly where: string;
}

const className = z.union([z.string(), z.number(), z.boolean()]);

const configSchema = z.object({
  id2label: z.union([z.record(z.string(), className), z.array(className)]).nullish(),
  label2id: z.record(z.string(), z.union([z.number(), z.string()])).nullish(),
});

/**
 * What names the classes of a classifier: the list in the recipe, or else the `config.json` that lies with its file.
 *
 * @throws LimbeckError `teacher.config`
 */
export function teacherClasses(
  configFile: string | undefined,
  labels: readonly string[] | undefined,
): TeacherClasses | undefined {
  if (labels) return { names: withoutNumbers(labels), synonyms: [], where: 'teacher.labels' };
  return configFile === undefined ? undefined : readTeacherClasses(configFile);
}

/** A name that only says which output it is names nothing. */
function withoutNumbers(names: readonly (string | undefined)[]): (string | undefined)[] {
  return names.map((name, output) =>
    name === undefined || name.trim() === '' || indexOfName(name) === output ? undefined : name.trim(),
  );
}

/**
 * The classes that a teacher's `config.json` names (`id2label`, `label2id`); undefined where it says nothing about them.
 *
 * @throws LimbeckError `teacher.config` for a file that is no JSON, or whose `id2label` and `label2id` contradict.
 */
export function readTeacherClasses(configFile: string): TeacherClasses | undefined {
  const config = parseConfig(configFile);
  const byId = new Map<number, string>();
  for (const [id, name] of Object.entries(config.id2label ?? {})) {
    byId.set(outputNumber(id, `id2label.${id}`, configFile), `${name}`);
  }
  const synonyms: { name: string; output: number }[] = [];
  for (const [name, id] of Object.entries(config.label2id ?? {})) {
    const output = outputNumber(id, `label2id.${name}`, configFile);
    // A file with label2id alone names its outputs by it.
    if (!config.id2label && !byId.has(output)) byId.set(output, name);
    else if (byId.get(output) !== name) synonyms.push({ name, output });
  }
  if (byId.size === 0) return undefined;
  checkContradictions(byId, synonyms, configFile);
  const size = Math.max(...byId.keys(), ...synonyms.map(({ output }) => output)) + 1;
  const names = withoutNumbers(Array.from({ length: size }, (_, output) => byId.get(output)));
  return { names, synonyms, where: configFile };
}

function parseConfig(file: string): z.output<typeof configSchema> {
  try {
    return configSchema.parse(readSettingsJson(file));
  } catch (cause) {
    if (cause instanceof LimbeckError) throw cause;
    const problem =
      cause instanceof z.ZodError
        ? `its ${cause.issues[0]?.path.join('.')} is no list of classes`
        : `it is no JSON: ${(cause as Error).message}`;
    throw new LimbeckError('teacher.config', `the teacher's config.json cannot be read: ${problem}`, {
      where: file,
      remedy: 'Take the config.json that came with the model, or move this one away.',
      cause,
    });
  }
}

/** More outputs than any classifier has: a number beyond is a mistake. */
const MOST_OUTPUTS = 1_000_000;

function outputNumber(value: string | number, key: string, file: string): number {
  const output = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof output === 'number' && Number.isInteger(output) && output >= 0 && output < MOST_OUTPUTS)
    return output;
  throw new LimbeckError('teacher.config', `'${value}' is no number of an output`, {
    where: `${file}, ${key}`,
    remedy: 'Number the classes 0, 1, 2 ... in the order of the outputs of the model.',
  });
}

/** A name that id2label gives to one output and label2id to another says nothing. */
function checkContradictions(
  byId: ReadonlyMap<number, string>,
  synonyms: readonly { name: string; output: number }[],
  file: string,
): void {
  const outputs = new Map<string, number>();
  for (const [output, name] of byId) if (!outputs.has(name)) outputs.set(name, output);
  for (const { name, output } of synonyms) {
    const other = outputs.get(name);
    if (other === undefined || other === output) continue;
    throw new LimbeckError(
      'teacher.config',
      `'${name}' is output ${other} by id2label and output ${output} by label2id`,
      {
        where: file,
        remedy: 'Correct the file, or list the classes of its outputs in teacher.labels, which counts more.',
      },
    );
  }
}
