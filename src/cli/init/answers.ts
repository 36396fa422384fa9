import { basename, dirname, extname, relative, resolve, sep } from 'node:path';
import { LimbeckError } from '../../errors.ts';
import { taskOf } from '../../recipe/misplaced-kinds.ts';
import type { Recipe } from '../../recipe/schema.ts';
import type { Cli } from '../cli.ts';
import { kindsOf } from './choices.ts';
import type { Answers } from './draft.ts';
import { PAIRS_TASK, pairSettings } from './pair-settings.ts';
import { proposeSource, type Wishes } from './propose.ts';

/** The options of `limbeck init`. */
export interface InitOptions {
  data?: string;
  name?: string;
  source?: string;
  teacher?: string;
  student?: string;
  set?: string[];
  force?: boolean;
  json?: boolean;
}

/** Who is taught where nothing else is said; of other tasks the first that there is. */
const STUDENTS: Readonly<Record<string, string>> = {
  'text-classification': 'text-conv',
  'image-classification': 'resnet',
};

function firstStudent(task: Recipe['task']): string {
  return kindsOf('student', task)[0]?.value ?? 'text-conv';
}

/** Settings by which a person says themselves what is answered. */
const ANSWERS = /^\s*(data\.source\.labelField|outputs)\b/;

/** What a recipe is written from: what the person said, found in the data or usual. `seen` is what was found. */
export async function answersFrom(
  cli: Cli,
  path: string,
  options: InitOptions,
): Promise<{ answers: Answers; seen: string[] }> {
  const name =
    options.name ??
    (basename(path, extname(path))
      .replace(/[^A-Za-z0-9._-]+/g, '-')
      .replace(/^[^A-Za-z0-9]+/, '') ||
      'recipe');
  const set = options.set ?? [];
  const wishes: Wishes = { teacher: options.teacher, saysAnswer: set.some((one) => ANSWERS.test(one)) };
  const propose = (data: string) => {
    const absolute = resolve(cli.workingFolder, data);
    return proposeSource(absolute, relative(dirname(path), absolute).split(sep).join('/'), wishes);
  };
  if (options.data !== undefined && options.source !== undefined) {
    throw new LimbeckError('cli.usage', '--data finds out what --source says', {
      where: 'limbeck init',
      remedy: 'Give one of the two.',
    });
  }
  if (cli.terminal.interactive && !options.source && !options.data && !options.json) {
    const { askAnswers } = await import('./ask.ts');
    return { answers: await askAnswers({ name, set }, propose), seen: [] };
  }
  const proposal = options.data === undefined ? undefined : await propose(options.data);
  const source = proposal?.source ?? { kind: options.source ?? 'wordnet-glosses' };
  // A source of images may have texts too: the student says whether both are read.
  const wantsPairs =
    proposal?.task === PAIRS_TASK ||
    (options.student !== undefined && taskOf(options.student) === PAIRS_TASK);
  const task = wantsPairs ? PAIRS_TASK : (proposal?.task ?? taskOf(source.kind));
  const usual = proposal?.student ?? STUDENTS[task] ?? firstStudent(task);
  const student = options.student ?? usual;
  const teacher =
    options.teacher ?? proposal?.teacher ?? (task === 'text-classification' ? 'use-lite' : 'none');
  const proposed = proposal?.set ?? (wantsPairs ? pairSettings() : []);
  const answers: Answers = {
    name,
    source,
    task,
    teacher: teacher === 'none' ? undefined : teacher,
    student,
    labelsPerClass: 'all',
    set: [...proposed.filter((one) => student === usual || !one.startsWith('student.')), ...set],
  };
  return { answers, seen: proposal?.seen ?? [] };
}
