import { JoinedSplit } from '../../data/added/joined-split.ts';
import { ATTENTION_MASK, INPUT_IDS } from '../../data/columns.ts';
import type { Tokenizer } from '../../data/modalities/text/tokenizer/tokenizer.ts';
import type { Split } from '../../data/split.ts';
import type { KeptSplits } from '../../data/splits/kept-splits.ts';
import type { TextDataset } from '../../data/text-dataset.ts';
import type { TextSplit } from '../../data/text-split.ts';
import { LimbeckError } from '../../errors.ts';
import { writeTextStudent } from '../../export/text-student.ts';
import type { LabelSpace } from '../../knowledge/label-space.ts';
import { randomStream } from '../../random.ts';
import { type Recipe, requireTextTeacher } from '../../recipe/schema.ts';
import type { TextInputs } from '../../students/backbone.ts';
import { buildStudent } from '../../students/build-student.ts';
import { backboneFor } from '../../students/index.ts';
import type { Student } from '../../students/student.ts';
import { textNgrams } from '../../students/text-ngrams.ts';
import type { Head } from '../../targets/head.ts';
import { headScope } from '../../targets/head-scope.ts';
import { headOutputs } from '../../teachers/head-outputs.ts';
import { teacherHash } from '../../teachers/onnx-teacher.ts';
import { orderOutputs } from '../../teachers/order-outputs.ts';
import type { TextTeacherSource } from '../../teachers/teacher-source.ts';
import { speedCalls } from '../batches/speed-calls.ts';
import { taughtTexts, textBatches, textVariants, tokenIds } from '../batches/text-batches.ts';
import type { RunContext } from '../context/run-context.ts';
import type { RunOptions } from '../context/run-options.ts';
import type { Task, TaskData } from '../context/task.ts';
import { prepareRecipeData } from '../data/prepare-data.ts';
import { headsOf, isClassifier, taughtSpaces } from '../heads/recipe-heads.ts';
import { textLabelling } from '../teaching/ask-teacher.ts';
import { fineTune } from '../teaching/fine-tune.ts';
import { rememberTeacher, teacherKey } from '../teaching/known-teachers.ts';
import { openRecipeTeacher, runTokenizer } from '../teaching/open-teacher.ts';
import { requireLogits } from '../teaching/require-classes.ts';
import { classResolver, matchDataset } from '../teaching/run-classes.ts';
import { trainHeads } from '../teaching/train-head.ts';
import { peerBatch } from '../training/peer-training.ts';

/** Texts with one class each, read by models over tokens. */
export async function textClassification(run: {
  readonly recipe: Recipe;
  readonly options: RunOptions;
}): Promise<Task> {
  const { recipe } = run;
  const source = recipe.teacher ? await openTeacherOf(run) : undefined;
  const tokenizer = source?.tokenizer ?? (await runTokenizer(run));
  if (source) requireLength(source, recipe.data.maxLength);
  const task: Task = {
    unit: 'texts',
    teacher: source,
    ...textLabelling({ tokenizer }, recipe.data.maxLength),
    tokenizer,
    token: (id) => tokenizer.token(id),
    warnings: [...tokenizer.warnings, ...cutWarnings(tokenizer)],
    async prepareData({ onProgress, kept }) {
      const dataset = await prepareTextData(run, tokenizer, onProgress, kept, classifierOf(recipe, source));
      return textData({ task, recipe, dataset, tokenizer, source });
    },
  };
  return task;
}

/** transformers.js cuts every text at its end. */
function cutWarnings({ frame }: Tokenizer): string[] {
  if (frame.truncationSide === 'right') return [];
  return [
    'the tokenizer cuts texts at their start, transformers.js at their end: there the student gives other answers to texts longer than data.maxLength',
  ];
}

/** The teacher, where it is a classifier whose own classes are taught; one that is trained has the data's. */
function classifierOf(recipe: Recipe, source: TextTeacherSource | undefined): TextTeacherSource | undefined {
  const { teacher } = recipe;
  if (!source || !teacher || !('train' in teacher) || teacher.train !== 'none') return undefined;
  if (!isClassifier(recipe)) return undefined;
  requireLogits(source);
  return source;
}

function openTeacherOf({ recipe, options }: { recipe: Recipe; options: RunOptions }) {
  requireTextTeacher(recipe);
  return openRecipeTeacher({ recipe, options });
}

function textData(context: {
  readonly task: Task;
  readonly recipe: Recipe;
  readonly dataset: TextDataset;
  readonly tokenizer: Tokenizer;
  readonly source: TextTeacherSource | undefined;
}): TaskData {
  const { task, recipe, dataset, tokenizer, source } = context;
  const { training, seed } = recipe;
  const classifier = classifierOf(recipe, source);
  const classes = classifier && matchDataset(classifier, dataset);
  const heads = headsOf(recipe, dataset, source && taughtSpaces(recipe, source));
  let student: Student | undefined;
  let peer: Student | undefined;
  return {
    task,
    dataset,
    heads,
    ...(classes && { classes }),
    asked: dataset.splits.train,
    calibrationMask: ATTENTION_MASK,
    buildStudent() {
      // Some students measure the training texts first: once is enough.
      student ??= buildTextStudent(recipe, tokenizer, dataset, heads);
      return student;
    },
    startStudent: (answers) =>
      startTextStudent(recipe, textInputs(recipe, tokenizer, dataset), heads, answers, dataset),
    peer: {
      title: 'a linear model of n-grams',
      // Of a vector it would have a table of n-grams as wide as the vector, which costs more than any student.
      fits: heads.every(({ features, target }) => features !== 'map' && target.kind !== 'embedding'),
      build() {
        peer ??= buildStudent({
          backbone: textNgrams,
          options: PEER_NGRAMS,
          inputs: textInputs(recipe, tokenizer, dataset),
          heads,
          random: randomStream(recipe.seed, 'peer'),
        });
        return peer;
      },
      training(name, knowledge) {
        const split = dataset.splits[name];
        const batchSize = peerBatch(split.size);
        return {
          batches: textBatches({ split, batchSize, seed, knowledge }),
          variants: textVariants(split, batchSize),
        };
      },
    },
    training(name, knowledge, added = [], orderOf) {
      const own = dataset.splits[name];
      const split = added.length > 0 ? new JoinedSplit([own, ...(added as Split[])]) : own;
      const { batchSize } = training;
      return {
        batches: textBatches({
          split,
          batchSize,
          seed,
          tokenDropout: { fraction: training.tokenDropout, unkId: tokenizer.unkId },
          knowledge,
          orderOf,
        }),
        variants: textVariants(own, batchSize),
      };
    },
    get teacherTitle() {
      requireTextTeacher(recipe);
      const { train, head } = recipe.teacher;
      if (train === 'none') return source!.title;
      const kind = head.hidden > 0 ? 'a head with a hidden layer' : 'a linear head';
      return `${source!.title} and ${kind}${train === 'all' ? ', trained whole' : ''}`;
    },
    async teach(run: RunContext) {
      requireTextTeacher(recipe);
      const choice = recipe.teacher;
      if (choice.train === 'none') {
        const model = classes
          ? orderOutputs(source!.model, classes.outputs)
          : headOutputs(source!.model, heads, source!);
        return { model, validation: null };
      }
      const trained = await trainHeads(run, source!, { dataset, heads }, task, choice.head);
      return choice.train === 'all'
        ? fineTune(run, { ...source!, model: trained.model }, { dataset, heads }, choice.whole)
        : trained;
    },
    remember(run, { precision, agreement, file, labellingFile }) {
      requireTextTeacher(recipe);
      const f32 = teacherHash(file);
      rememberTeacher(run.store.folder, teacherKey({ ...run, recipe }, source!, dataset, recipe.teacher), {
        title: this.teacherTitle,
        precision,
        agreement,
        hashes: { f32, labelling: labellingFile === file ? f32 : teacherHash(labellingFile) },
      });
    },
    heldBytes: dataset.splits.train.heldBytes,
    speedCalls: (split, rows) => speedCalls(split, rows, [INPUT_IDS, ATTENTION_MASK]),
    readerInput(split, ordinal) {
      const text = (split as TextSplit).text(ordinal);
      const cutAtStart = tokenizer.frame.truncationSide === 'left';
      return cutAtStart && tokenizer.encode(text).length > recipe.data.maxLength ? undefined : { text };
    },
    writeStudent: (folder, models) =>
      writeTextStudent(folder, {
        ...models,
        architecture: recipe.student.kind,
        vocabularySize: tokenizer.vocabularySize,
        padTokenId: tokenizer.padId,
        endIds: tokenizer.endIds,
        maxLength: recipe.data.maxLength,
        tokenizerFiles: tokenizer.toShippedFiles(recipe.data.maxLength),
      }),
  };
}

/** The recipe's texts, prepared. */
export async function prepareTextData(
  run: { readonly recipe: Recipe; readonly options: RunOptions },
  tokenizer: Tokenizer,
  onProgress?: (rows: number) => void,
  kept?: KeptSplits,
  classifier?: TextTeacherSource,
): Promise<TextDataset> {
  return prepareRecipeData(run, {
    tokenizer,
    kept,
    onProgress,
    ...(classifier && { classesOf: (title) => classResolver(classifier, title) }),
  });
}

/** The recipe's student with its initial parameters: the same ones for the student and for its baseline. */
export function buildTextStudent(
  recipe: Recipe,
  tokenizer: Tokenizer,
  dataset: Pick<TextDataset, 'splits'>,
  heads: readonly Head[],
): Student {
  return buildStudent({
    backbone: backboneFor(recipe.student.kind, 'text'),
    options: recipe.student,
    inputs: textInputs(recipe, tokenizer, dataset),
    heads,
    random: randomStream(recipe.seed, 'student'),
  });
}

/** What the student starts from where its main output is a vector and its teacher has said one of every training text. */
function startTextStudent(
  recipe: Recipe,
  inputs: TextInputs,
  [main]: readonly Head[],
  answers: ReadonlyMap<string, LabelSpace>,
  { splits }: Pick<TextDataset, 'splits'>,
): ReadonlyMap<string, Float32Array> | undefined {
  const backbone = backboneFor(recipe.student.kind, 'text');
  const said = main && answers.get(main.output);
  if (!backbone.start || !said || main.target.kind !== 'embedding') return undefined;
  const outputs = (main.space as { readonly width: number }).width;
  return backbone.start(recipe.student, inputs, {
    outputs,
    scope: headScope(main.output),
    texts: { [Symbol.iterator]: () => taughtTexts(splits.train, said) },
  });
}

/** As its defaults are, with rows enough for the pairs of most vocabularies. */
const PEER_NGRAMS = textNgrams.options.parse({ buckets: 32_768 });

function textInputs(
  recipe: Recipe,
  tokenizer: Tokenizer,
  { splits }: Pick<TextDataset, 'splits'>,
): TextInputs {
  return {
    vocabularySize: tokenizer.vocabularySize,
    maxLength: recipe.data.maxLength,
    trainingTexts: { [Symbol.iterator]: () => tokenIds(splits.train) },
  };
}

/** Past its last position a teacher looks up what is not there; the engine would say so in the middle of the run. */
function requireLength({ title, maxLength }: TextTeacherSource, wanted: number): void {
  if (wanted <= maxLength) return;
  throw new LimbeckError('teacher.length', `the teacher reads ${maxLength} tokens, not ${wanted}`, {
    where: `data.maxLength, for ${title}`,
    remedy: `Set data.maxLength to ${maxLength} or less. For an ONNX file the limit is model_max_length of the tokenizer_config.json beside its tokenizer, or 512.`,
  });
}
