import { LimbeckError } from '../../errors.ts';
import { dirname, join } from '../../platform/paths.ts';
import { modalitiesOf } from '../../recipe/misplaced-kinds.ts';
import { outputsOf } from '../../recipe/parts.ts';
import type { Recipe } from '../../recipe/schema.ts';
import type { HubTask } from '../../teachers/hub/configuration.ts';
import type { SnapshotOptions } from '../../teachers/hub/snapshot.ts';
import type { HubTeacherChoice } from '../../teachers/index.ts';
import { fileOf, type ModelFiles, modelFiles } from '../../teachers/model-folder.ts';
import { noTokenizer } from '../../teachers/no-tokenizer.ts';
import { teacherPrompt } from '../../teachers/sentence-prompt.ts';
import type { TeacherLicence } from '../../teachers/teacher-source.ts';
import { recipePathResolver } from '../context/recipe-paths.ts';
import { dataCacheFolder } from '../context/run-context.ts';
import type { RunOptions } from '../context/run-options.ts';

/** A recipe's teacher as one that lies on this machine. */
export interface LocalTeacher {
  /** With absolute paths. */
  readonly choice: Readonly<Record<string, unknown>> & { readonly kind: string };
  /** What was assumed to find it. */
  readonly notes: readonly string[];
  /** Where it comes from, and what it is. */
  readonly origin: readonly string[];
  /** For people, where its file's name says nothing. */
  readonly title?: string;
  /** Of a model of a hub: its name there, and its licence where something says it. */
  readonly licence?: TeacherLicence;
}

/** A recipe and what it may reach, as far as its teacher depends on it. */
export interface TeacherRun {
  readonly recipe: Recipe;
  readonly options: Pick<RunOptions, 'recipeFolder' | 'allowPaths' | 'storeFolder' | 'signal' | 'onEvent'>;
}

/** The kinds as which a model of a hub is opened, by what a recipe's models read. */
const KINDS: Readonly<Record<string, string>> = {
  text: 'onnx',
  image: 'onnx-image',
  audio: 'onnx-audio',
  'image+text': 'onnx-pair',
};

/**
 * The teacher that a recipe names, its paths kept inside the folders that a recipe may reach; a model of a hub is downloaded
 * first, unless it is here.
 *
 * @throws LimbeckError of `hubSnapshot`; `teacher.task` for a model that is made for something else than the recipe's task;
 *   `recipe.path-outside`
 */
export async function localTeacher(run: TeacherRun): Promise<LocalTeacher | undefined> {
  const { recipe, options } = run;
  const { teacher } = recipe;
  if (!teacher) return undefined;
  if (teacher.kind === 'hub') return hubTeacher(run, teacher as HubTeacherChoice);
  const resolve = recipePathResolver(options, 'teacher');
  const paths = Object.entries(teacher).flatMap(([key, value]) =>
    (key === 'model' || key === 'tokenizer') && typeof value === 'string' ? [[key, resolve(value)]] : [],
  );
  return { choice: { ...teacher, ...Object.fromEntries(paths) }, notes: [], origin: [] };
}

async function hubTeacher(run: TeacherRun, choice: HubTeacherChoice): Promise<LocalTeacher> {
  const { recipe } = run;
  // What asks a hub is loaded by who wants it alone: pages are to be small.
  const { hubSnapshot } = await import('../../teachers/hub/snapshot.ts');
  const { hubTask } = await import('../../teachers/hub/configuration.ts');
  const reads = modalitiesOf(recipe).split('+').sort().join('+');
  const taskOf = (files: Pick<ModelFiles, 'folders'>) => {
    const config = fileOf(files, 'config.json');
    const told =
      config === undefined ? undefined : hubTask(config, fileOf(files, 'modules.json') !== undefined);
    if (told) requireTask(recipe, choice, told);
    return told;
  };
  const {
    model: path,
    notes,
    origin,
    license,
  } = await hubSnapshot(choice, {
    ...snapshotOptions(run),
    accept(files) {
      taskOf(files);
      const isRead = reads === 'text' || reads === 'image+text';
      if (isRead && fileOf(files, 'tokenizer.json') === undefined) noTokenizer(files);
      if (reads === 'text') teacherPrompt(files, choice.prompt);
    },
  });
  const told = taskOf(modelFiles(path));
  const { kind: _, model, revision, file, endpoint, ...rest } = choice;
  return {
    choice: { ...rest, kind: KINDS[reads] ?? 'onnx-columns', model: path },
    title: model,
    licence: { model, ...(license !== undefined && { license }) },
    notes,
    origin: [
      ...origin,
      told?.task
        ? `${model} is a model for ${told.task.pipeline} (${told.said})`
        : `nothing says which task ${model} is for: its outputs are taken as they are`,
    ],
  };
}

/** What a run would download first of the hub, a sentence for each model; none where all is here. Nothing is downloaded. */
export async function downloadsOf(run: TeacherRun): Promise<string[]> {
  const { teacher } = run.recipe;
  const all = teacher?.kind === 'several' ? (teacher.teachers as readonly unknown[]) : [teacher];
  const ofHub = all.filter(
    (one): one is HubTeacherChoice => (one as { kind?: string } | undefined)?.kind === 'hub',
  );
  if (ofHub.length === 0) return [];
  const { hubDownload, megabytes } = await import('../../teachers/hub/snapshot.ts');
  const told: string[] = [];
  for (const choice of ofHub) {
    const found = await hubDownload(choice, snapshotOptions(run));
    if (!found) continue;
    const { file, bytes, commit, folder } = found;
    told.push(
      `${choice.model} at commit ${commit.slice(0, 12)}: ${file}, ${megabytes(bytes)}, goes to ${folder}`,
    );
  }
  return told;
}

function snapshotOptions({ recipe, options }: TeacherRun): SnapshotOptions {
  return {
    ownCache: join(dirname(dataCacheFolder(recipe, options)), 'downloads', 'hub'),
    signal: options.signal,
    tell: (message) => options.onEvent?.({ type: 'log', level: 'info', message }),
  };
}

/** Refuses a model that is made for another task, before anything is asked of it. */
function requireTask(
  recipe: Recipe,
  { model, train, output }: HubTeacherChoice,
  { task, said }: { readonly task: HubTask | undefined; readonly said: string },
): void {
  const reads = modalitiesOf(recipe).split('+').sort().join('+');
  if (train !== 'none' && reads !== 'text') {
    throw new LimbeckError('recipe.invalid', 'heads are trained on teachers of texts alone', {
      where: `teacher.train: ${train}, for ${model}`,
      remedy: 'Set teacher.train to none, and take a model that answers as the recipe does.',
    });
  }
  // Who names an output, or trains a head, has looked.
  if (train !== 'none' || output !== undefined) return;
  const where = `teacher.model, ${model}: its config.json says ${said}`;
  if (!task) {
    throw new LimbeckError('teacher.task', `the model is for a task that no teacher here has`, {
      where,
      remedy:
        'Take a classifier (of texts, tokens, images, audio), a sentence encoder or CLIP; or name the output that is to be taught (teacher.output), or train a head on its vectors (train: head).',
    });
  }
  if (task.reads !== reads) {
    throw new LimbeckError('teacher.task', `the model reads ${task.reads}, the recipe ${reads}`, {
      where,
      remedy: `Set task: ${task.pipeline} (and inputs that are read so), or take another model.`,
    });
  }
  const [main] = outputsOf(recipe);
  if (!main || main.target === task.target || !SCORES.includes(task.target) || !SCORES.includes(main.target))
    return;
  throw new LimbeckError(
    'teacher.task',
    `the model answers with ${TARGETS[task.target]}, the recipe with ${TARGETS[main.target]}`,
    {
      where,
      remedy: `Set outputs: { ${main.name}: { target: ${task.target}, field: ${main.field ?? 'label'} } }, or take another model.`,
    },
  );
}

/** Targets that are told by a model's configuration, and are no embeddings. */
const TARGETS: Readonly<Record<string, string>> = {
  class: 'one class',
  classes: 'several classes at once',
  number: 'a number',
  'token-classes': 'a class for each token',
};
const SCORES = Object.keys(TARGETS);
