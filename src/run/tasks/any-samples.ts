import { beforeTraining } from '../../compress/transforms/apply-transforms.ts';
import { ATTENTION_MASK } from '../../data/columns.ts';
import type { PreparedDataset } from '../../data/prepared/dataset-manifest.ts';
import { LimbeckError } from '../../errors.ts';
import type { LabelSpace } from '../../knowledge/label-space.ts';
import { randomStream } from '../../random.ts';
import { outputsOf } from '../../recipe/parts.ts';
import type { Recipe } from '../../recipe/schema.ts';
import type { Backbone } from '../../students/backbone.ts';
import { buildStudent } from '../../students/build-student.ts';
import { BACKBONES, GIVEN_STUDENTS } from '../../students/index.ts';
import type { Student } from '../../students/student.ts';
import type { Head } from '../../targets/head.ts';
import { headScope } from '../../targets/head-scope.ts';
import { headOutputs } from '../../teachers/head-outputs.ts';
import { orderOutputs } from '../../teachers/order-outputs.ts';
import type { TeacherSource } from '../../teachers/teacher-source.ts';
import { speedCalls } from '../batches/speed-calls.ts';
import { taughtTexts } from '../batches/taught-texts.ts';
import { withTowers } from '../batches/tower-knowledge.ts';
import { inViews, trainingDataOf } from '../batches/training-data.ts';
import { transformsOf } from '../compressing/transforms-of.ts';
import type { LinearPeer, Task, TaskData } from '../context/task.ts';
import { prepareRecipeData } from '../data/prepare-data.ts';
import { requireNotedClasses } from '../heads/noted-classes.ts';
import { headsOf, taughtSpaces } from '../heads/recipe-heads.ts';
import { backboneInputs } from './backbone-inputs.ts';
import type { BoundSamples, PeerModel, RecipeRun, SampleReading } from './sample-kind.ts';

/**
 * A run over samples of any inputs and any outputs: what is read follows from the processors of the recipe's inputs, what is
 * answered from its heads; what else there is to know of such samples, `reading` brings.
 */
export function anySamples(run: RecipeRun, unit: Task['unit'], reading: SampleReading): Task {
  const { recipe } = run;
  const { tokenizer, teacherImages, preprocessing, warnings = [], classesOf } = reading;
  let { teacher } = reading;
  let columns: readonly string[] | undefined;
  const task: Task = {
    unit,
    get teacher() {
      return teacher;
    },
    preprocessing,
    ...(tokenizer && {
      tokenizer,
      vocabularySize: tokenizer.vocabularySize,
      token: (id: number) => tokenizer.token(id),
    }),
    get columns() {
      return columns;
    },
    warnings,
    async prepareData({ onProgress, kept }) {
      const dataset = await prepareRecipeData(run, {
        tokenizer,
        teacherImages,
        kept,
        onProgress,
        ...(classesOf && { classesOf }),
      });
      try {
        const samples = await reading.bind(dataset);
        ({ teacher } = samples);
        if (!tokenizer) columns = [...inputColumns(dataset), ...readTruths(dataset)];
        const heads = headsOf(recipe, dataset, teacher && taughtSpaces(recipe, teacher));
        requireNotedClasses(recipe, heads);
        return sampleData({ recipe, task, dataset, heads, samples });
      } catch (error) {
        dataset.close();
        throw error;
      }
    },
  };
  return task;
}

interface Context {
  readonly recipe: Recipe;
  readonly task: Task;
  readonly dataset: PreparedDataset;
  readonly heads: readonly Head[];
  readonly samples: BoundSamples;
}

function sampleData(context: Context): TaskData {
  const { recipe, task, dataset, heads, samples } = context;
  const { splits } = dataset;
  const { classes, pixelRange, teach, trainings, knownAs } = samples;
  const read = samples.read ?? inputColumns(dataset);
  const inputs = {
    ...backboneInputs(dataset.inputs, samples.facts),
    ...(samples.frozen && { frozen: samples.frozen }),
    ...(samples.given && { given: samples.given }),
  } as never;
  // Samples of which only the inputs are known all teach.
  const knowsTruth = outputsOf(recipe).some(({ field }) => field !== undefined);
  const unknownToken = task.tokenizer?.unkId;
  let student: Student | undefined;
  return {
    task,
    dataset,
    heads,
    ...(classes && { classes }),
    ...(pixelRange && { pixelRange }),
    ...(samples.teacherReads && { teacherReads: samples.teacherReads }),
    ...(inputColumns(dataset).includes(ATTENTION_MASK) && { calibrationMask: ATTENTION_MASK }),
    asked: inViews(recipe, splits.train).split,
    buildStudent() {
      // Some students measure the training samples first: once is enough.
      student ??= beforeTraining(
        buildStudent({
          backbone: backboneOf(recipe),
          options: recipe.student,
          inputs,
          heads,
          random: randomStream(recipe.seed, 'student'),
        }),
        transformsOf(recipe, heads),
      );
      return student;
    },
    async startStudent(answers, run) {
      return samples.start?.(run, this.buildStudent()) ?? startStudent(context, inputs, answers);
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
    peer: linearPeer(context, samples.peer, inputs),
    teacherTitle: samples.teacherTitle ?? samples.teacher?.title ?? '',
    async teach(run) {
      if (teach) return teach(run, { task, heads });
      const { model, ...source } = samples.teacher as TeacherSource;
      return {
        model: classes ? orderOutputs(model, classes.outputs) : headOutputs(model, heads, source),
        validation: null,
      };
    },
    ...(trainings && { trainings }),
    ...(knownAs && { knownAs }),
    heldBytes: splits.train.heldBytes,
    speedCalls: (split, rows, calls, columns = read) => speedCalls(split, rows, columns, calls),
    readerInput: (split, ordinal) => samples.readerInput?.(split, ordinal),
    writeStudent: samples.write,
  };
}

/** Trained on samples as they are, whatever the recipe hides of them. */
function linearPeer(
  { recipe, heads, dataset: { splits } }: Context,
  model: PeerModel | undefined,
  inputs: never,
): LinearPeer {
  let student: Student | undefined;
  const batchSize = (samples: number) => model?.batchSize?.(samples) ?? recipe.training.batchSize;
  return {
    title: model?.title ?? 'a linear model',
    fits: model !== undefined && heads.every(model.fits),
    build() {
      if (!model) throw new Error('there is no linear model of such samples');
      const { backbone, options } = model;
      student ??= buildStudent({
        backbone,
        options,
        inputs,
        heads,
        random: randomStream(recipe.seed, 'peer'),
      });
      return student;
    },
    batchSize,
    training: (name, knowledge) =>
      trainingDataOf({ recipe, split: splits[name], batchSize: batchSize(splits[name].size), knowledge }),
  };
}

/** What the student starts from where its main output is a vector and its teacher has said one of every training text. */
function startStudent(
  { recipe, heads: [main], dataset: { splits } }: Context,
  inputs: never,
  answers: ReadonlyMap<string, LabelSpace>,
): ReadonlyMap<string, Float32Array> | undefined {
  const said = main && answers.get(main.output);
  const backbone = backboneOf(recipe);
  if (!backbone.start || !said || main.target.kind !== 'embedding') return undefined;
  return backbone.start(recipe.student, inputs, {
    outputs: (main.space as { readonly width: number }).width,
    scope: headScope(main.output),
    texts: { [Symbol.iterator]: () => taughtTexts(splits.train, said) },
  });
}

function inputColumns({ inputs }: Pick<PreparedDataset, 'inputs'>): string[] {
  return inputs.flatMap(({ processor }) => processor.columns.map(({ name }) => name));
}

/** What models read of the truth: the words before each that is to be written. */
function readTruths({ columns, inputs }: PreparedDataset): string[] {
  const own = inputColumns({ inputs });
  return columns.flatMap(({ name, role }) => (role === 'input' && !own.includes(name) ? [name] : []));
}

function backboneOf({ student: { kind } }: Recipe): Backbone {
  const found = [...BACKBONES, ...GIVEN_STUDENTS].find((one) => one.kind === kind);
  if (!found) {
    throw new LimbeckError('recipe.invalid', `there is no student ${kind}`, { where: 'student.kind' });
  }
  return found as unknown as Backbone;
}
