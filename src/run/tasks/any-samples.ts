import { ATTENTION_MASK } from '../../data/columns.ts';
import type { PreparedDataset } from '../../data/prepared/dataset-manifest.ts';
import type { KeptSplits } from '../../data/splits/kept-splits.ts';
import { LimbeckError } from '../../errors.ts';
import { randomStream } from '../../random.ts';
import { inputsOf, outputsOf } from '../../recipe/parts.ts';
import type { Recipe } from '../../recipe/schema.ts';
import type { Backbone, FrozenTower } from '../../students/backbone.ts';
import { buildStudent } from '../../students/build-student.ts';
import { BACKBONES } from '../../students/index.ts';
import type { Student } from '../../students/student.ts';
import type { Head } from '../../targets/head.ts';
import { headOutputs } from '../../teachers/head-outputs.ts';
import type { TeacherSource } from '../../teachers/teacher-source.ts';
import { openUseLite } from '../../teachers/use-lite/open.ts';
import { speedCalls } from '../batches/speed-calls.ts';
import { withTowers } from '../batches/tower-knowledge.ts';
import { inViews, trainingDataOf } from '../batches/training-data.ts';
import type { RunOptions } from '../context/run-options.ts';
import type { SampleUnit } from '../context/sample-unit.ts';
import type { StudentPackage, Task, TaskData } from '../context/task.ts';
import { prepareRecipeData } from '../data/prepare-data.ts';
import { headsOf, taughtSpaces } from '../heads/recipe-heads.ts';
import { runTokenizer } from '../teaching/open-teacher.ts';
import { backboneInputs } from './backbone-inputs.ts';
import { openSampleTeacher } from './sample-teachers.ts';
import { writeStudentOf } from './write-student.ts';

/** What samples are called, by the modalities that they have. */
const UNITS: Readonly<Record<string, SampleUnit>> = {
  'text+image': 'pairs',
};

interface AnyRun {
  readonly recipe: Recipe;
  readonly options: RunOptions;
}

/**
 * Samples of any inputs and any outputs: what is read follows from the processors of the recipe's inputs, what is answered
 * from its heads.
 */
export async function anySamples(run: AnyRun): Promise<Task> {
  const { recipe } = run;
  const parts = inputsOf(recipe);
  const modalities = [...new Set(parts.map(({ modality }) => modality))].join('+');
  const reading = await openSampleTeacher(run, modalities);
  const tokenizer = parts.some(({ modality }) => modality === 'text')
    ? (reading?.tokenizer ?? (await runTokenizer(run)))
    : undefined;
  let teacher: TeacherSource | undefined;
  let columns: readonly string[] | undefined;
  const task: Task = {
    unit: UNITS[modalities] ?? 'samples',
    get teacher() {
      return teacher;
    },
    preprocessing: reading?.preprocessing ?? 'as the data set has it',
    ...(tokenizer && { tokenizer, vocabularySize: tokenizer.vocabularySize }),
    ...(tokenizer && { token: (id: number) => tokenizer.token(id) }),
    get columns() {
      return columns;
    },
    warnings: tokenizer?.warnings ?? [],
    async prepareData({ onProgress, kept }: { onProgress?: (samples: number) => void; kept?: KeptSplits }) {
      const dataset = await prepareRecipeData(run, { tokenizer, kept, onProgress });
      if (!tokenizer)
        columns = dataset.inputs.flatMap(({ processor }) => processor.columns.map(({ name }) => name));
      teacher = await reading?.open(dataset);
      const heads = headsOf(recipe, dataset, teacher && taughtSpaces(recipe, teacher));
      const frozen = await frozenTower(recipe);
      return sampleData({ run, task, dataset, heads, teacher, frozen });
    },
  };
  return task;
}

function sampleData(context: {
  readonly run: AnyRun;
  readonly task: Task;
  readonly dataset: PreparedDataset;
  readonly heads: readonly Head[];
  readonly teacher: TeacherSource | undefined;
  readonly frozen: FrozenTower | undefined;
}): TaskData {
  const { task, dataset, heads, teacher, frozen } = context;
  const { recipe } = context.run;
  const { splits, inputs } = dataset;
  const columns = inputs.flatMap(({ processor }) => processor.columns);
  const unknownToken = task.tokenizer?.unkId;
  // Samples of which only the inputs are known all teach.
  const knowsTruth = outputsOf(recipe).some(({ field }) => field !== undefined);
  let student: Student | undefined;
  return {
    task,
    dataset,
    heads,
    asked: inViews(recipe, splits.train).split,
    ...(columns.some(({ name }) => name === ATTENTION_MASK) && { calibrationMask: ATTENTION_MASK }),
    buildStudent() {
      student ??= buildStudent({
        backbone: backboneOf(recipe.student.kind),
        options: recipe.student,
        inputs: { ...backboneInputs(inputs), ...(frozen && { frozen }) } as never,
        heads,
        random: randomStream(recipe.seed, 'student'),
      });
      return student;
    },
    training: (name, knowledge, added, orderOf) =>
      withTowers(
        heads,
        trainingDataOf({
          recipe,
          split: splits[knowsTruth ? name : 'train'],
          batchSize: recipe.training.batchSize,
          knowledge,
          added,
          orderOf,
          unknownToken,
        }),
      ),
    peer: {
      title: 'a linear model',
      fits: false,
      build: () => {
        throw new Error('there is no linear model of such samples');
      },
      training: (name, knowledge) =>
        trainingDataOf({
          recipe,
          split: splits[name],
          batchSize: recipe.training.batchSize,
          knowledge,
          plain: true,
        }),
    },
    teacherTitle: teacher?.title ?? '',
    async teach() {
      const source = teacher as TeacherSource;
      return { model: headOutputs(source.model, heads, source), validation: null };
    },
    heldBytes: splits.train.heldBytes,
    speedCalls: (split, rows) =>
      speedCalls(
        split,
        rows,
        columns.map(({ name }) => name),
      ),
    // No reader of ours knows how to read such samples.
    readerInput: () => undefined,
    writeStudent: (folder: string, models: StudentPackage) =>
      writeStudentOf({ recipe, dataset, heads, tokenizer: task.tokenizer }, folder, models),
  };
}

/** The text tower of a dual encoder that is not trained. */
async function frozenTower({ student }: Recipe): Promise<FrozenTower | undefined> {
  if (student.kind !== 'dual-encoder' || student.text.kind !== 'use-lite') return undefined;
  const { model, embeddingOutput } = await openUseLite();
  return { graph: model, output: embeddingOutput as string };
}

function backboneOf(kind: string): Backbone {
  const found = BACKBONES.find((one) => one.kind === kind);
  if (!found) {
    throw new LimbeckError('recipe.invalid', `there is no student ${kind}`, { where: 'student.kind' });
  }
  return found as unknown as Backbone;
}
