import { ATTENTION_MASK, INPUT_IDS } from '../../data/columns.ts';
import { shownTexts } from '../../data/modalities/text/text-processor.ts';
import type { Tokenizer } from '../../data/modalities/text/tokenizer/tokenizer.ts';
import type { PreparedDataset } from '../../data/prepared/dataset-manifest.ts';
import type { ShownSplit } from '../../data/text-split.ts';
import { LimbeckError } from '../../errors.ts';
import { writeTextStudent } from '../../export/text-student.ts';
import { inputsOf, outputsOf, type RecipeInputPart } from '../../recipe/parts.ts';
import { isHosted, type Recipe, requireTextTeacher } from '../../recipe/schema.ts';
import type { Backbone } from '../../students/backbone.ts';
import { textNgrams } from '../../students/text-ngrams.ts';
import { isByToken } from '../../targets/features.ts';
import { findTarget } from '../../targets/index.ts';
import { isForOtherTokens } from '../../targets/next-tokens.ts';
import { hostedTitle } from '../../teachers/chat/address.ts';
import type { TextTeacherSource } from '../../teachers/teacher-source.ts';
import { tokenIds } from '../batches/taught-texts.ts';
import { datasetAsRead } from '../context/as-teacher-reads.ts';
import type { ReadApart, TeacherReading } from '../context/task.ts';
import { isClassifier } from '../heads/recipe-heads.ts';
import { prompted, textLabelling } from '../teaching/ask-teacher.ts';
import { fineTune } from '../teaching/fine-tune.ts';
import { teacherKey, trainingChoice } from '../teaching/known-teachers.ts';
import { openRecipeTeacher, runTokenizer } from '../teaching/open-teacher.ts';
import { OTHER_TOKENIZER, promptBefore } from '../teaching/read-apart.ts';
import { requireLength, requireLogits } from '../teaching/require-classes.ts';
import { classResolver, matchDataset } from '../teaching/run-classes.ts';
import { ownTextReading } from '../teaching/text-reading.ts';
import { trainHeads } from '../teaching/train-head.ts';
import { peerBatch } from '../training/peer-training.ts';
import { givenTextModel } from './given-student.ts';
import { isLanguageModel, shippingLanguageModel } from './language-models.ts';
import type { BoundSamples, PeerModel, RecipeRun, SampleKind } from './sample-kind.ts';
import { studentTokenizer } from './student-tokenizer.ts';

/** Texts, or pairs of texts, read by models over tokens. */
export const texts: SampleKind = {
  unit: 'texts',
  reads: 'text',
  async open(run) {
    const { recipe } = run;
    const source = recipe.teacher && !isHosted(recipe) ? await openTeacherOf(run) : undefined;
    const tokenizer =
      run.tokenizer ??
      (await studentTokenizer(run, async () => source?.tokenizer ?? (await runTokenizer(run))));
    const [input] = inputsOf(recipe);
    const differs = source !== undefined && source.tokenizer.hash !== tokenizer.hash;
    const apart = differs ? OTHER_TOKENIZER : source?.prompt ? promptBefore(source.prompt) : undefined;
    if (apart) requireOwnReading(recipe, apart);
    if (source?.prompt) requirePromptable(recipe, source, apart as ReadApart);
    const documents = source && (await documentsReadBy(recipe, source, tokenizer));
    const reads =
      documents ??
      (source && apart ? ownTextReading(source, (input as RecipeInputPart).fields, apart) : undefined);
    if (source && !reads) requireLength(source, recipe.data.maxLength);
    const classifier = classifierOf(recipe, source);
    const given = await givenTextModel(run, documents || differs ? undefined : source, tokenizer.hash);
    return {
      teacher: source,
      tokenizer,
      preprocessing: textLabelling({ tokenizer }, recipe.data.maxLength).preprocessing,
      warnings: [...tokenizer.warnings, ...cutWarnings(tokenizer)],
      ...(classifier && { classesOf: (title: string) => classResolver(classifier, title) }),
      bind: (dataset) => ({
        ...(isLanguageModel(recipe)
          ? shippingLanguageModel(recipe, tokenizer, given?.decoder)
          : shipping(recipe, tokenizer)),
        ...(source && teaching(recipe, source, reads ? datasetAsRead(dataset, reads) : dataset, reads)),
        ...(reads && { teacherReads: reads }),
        ...(isHosted(recipe) && { teacherTitle: hostedTitle(recipe.teacher) }),
        teacher: source,
        classes: classifier && matchDataset(classifier, dataset),
        // Students are not told of the parts of a pair: the class that ships them (DistilBERT) has no token types.
        facts: { text: { pairs: false, trainingTexts: trainingTexts(dataset) } },
        read: [INPUT_IDS, ATTENTION_MASK],
        peer: PEER,
        ...(given && { given }),
      }),
    };
  },
};

/** As the defaults of n-grams are, with rows enough for the pairs of most vocabularies. */
const PEER: PeerModel = {
  title: 'a linear model of n-grams',
  backbone: textNgrams as unknown as Backbone,
  options: textNgrams.options.parse({ buckets: 32_768 }),
  // Of a vector it would have a table of n-grams as wide as the vector, which costs more than any student.
  fits: ({ features, target }) => features !== 'map' && features !== 'causal' && target.kind !== 'embedding',
  batchSize: peerBatch,
};

function openTeacherOf({ recipe, options }: RecipeRun) {
  requireTextTeacher(recipe);
  return openRecipeTeacher({ recipe, options });
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

function trainingTexts({ splits }: PreparedDataset): Iterable<ArrayLike<number>> {
  return { [Symbol.iterator]: () => tokenIds(splits.train) };
}

/** A teacher of texts may be trained on the labelled ones: a head, or all of it. */
function teaching(
  recipe: Recipe,
  source: TextTeacherSource,
  dataset: PreparedDataset,
  reads: TeacherReading | undefined,
): Pick<BoundSamples, 'teach' | 'trainings' | 'teacherTitle' | 'knownAs'> {
  requireTextTeacher(recipe);
  const { teacher: choice } = recipe;
  const { train, head } = choice;
  const kind = head.hidden > 0 ? 'a head with a hidden layer' : 'a linear head';
  const teacherTitle =
    train === 'none'
      ? source.title
      : `${source.title} and ${kind}${train === 'all' ? ', trained whole' : ''}`;
  return {
    teacherTitle,
    ...(train !== 'none' && {
      trainings: [{ recipe, source, reads }],
      async teach(run, { task, heads, name }) {
        const data = { dataset, heads, name };
        const trained = await trainHeads(run, source, data, reads ?? task, head);
        return train === 'all'
          ? fineTune(run, { ...source, model: trained.model }, data, choice.whole)
          : trained;
      },
    }),
    knownAs: ({ engine }) =>
      teacherKey(
        { recipe, engine },
        { ...source, tokenizer: `${source.tokenizer.hash}${prompted(source.prompt ?? '')}` },
        dataset,
        trainingChoice(choice),
      ),
  };
}

function shipping(recipe: Recipe, tokenizer: Tokenizer): Pick<BoundSamples, 'readerInput' | 'write'> {
  const { maxLength } = recipe.data;
  return {
    readerInput(split, ordinal) {
      const [text, pair] = shownTexts((split as ShownSplit).shown(ordinal)) as [string, string?];
      if (pair !== undefined)
        return tokenizer.encodePair(text, pair).whole > maxLength ? undefined : { text, pair };
      const cutAtStart = tokenizer.frame.truncationSide === 'left';
      return cutAtStart && tokenizer.encode(text).length > maxLength ? undefined : { text };
    },
    write: (folder, models) =>
      writeTextStudent(folder, {
        ...models,
        architecture: recipe.student.kind,
        vocabularySize: tokenizer.vocabularySize,
        padTokenId: tokenizer.padId,
        endIds: tokenizer.endIds,
        maxLength,
        tokenizerFiles: tokenizer.toShippedFiles(maxLength),
      }),
  };
}

/** What cannot be taught from tokens that are not the student's is refused before anything is asked. */
function requireOwnReading(recipe: Recipe, apart: ReadApart): void {
  const { teacher, data } = recipe;
  const problem =
    teacher && 'train' in teacher && teacher.train === 'all'
      ? { where: 'teacher.train: all', what: 'a teacher is trained whole on the tokens of its student' }
      : data.mixup || data.adversarial
        ? {
            where: data.mixup ? 'data.mixup' : 'data.adversarial',
            what: 'samples that are made of tokens have no text for the teacher',
          }
        : outputsOf(recipe).some((output) => isOfTeachersTokens(output))
          ? {
              where: 'outputs',
              what: 'answers for each token are those of the tokens that the teacher reads',
            }
          : undefined;
  if (!problem) return;
  const other = isLanguageModel(recipe) && apart === OTHER_TOKENIZER ? OTHER_TOKENS : '';
  throw new LimbeckError('recipe.invalid', problem.what, {
    where: `${problem.where}, ${apart.where}`,
    remedy: `${apart.remedy}${other}`,
  });
}

/** A prompt goes before whole texts, and a student that is cut out of its teacher reads none. */
function requirePromptable(recipe: Recipe, { skipsPrompt }: TextTeacherSource, apart: ReadApart): void {
  const problem = isLanguageModel(recipe)
    ? { where: 'outputs', what: 'documents are read from their start, without a prompt' }
    : recipe.student.kind === 'cut' && skipsPrompt
      ? {
          where: 'student.kind: cut',
          what: 'the teacher leaves the tokens of its prompt out of its vector (include_prompt: false), and a student that is cut out of it reads no prompt',
        }
      : undefined;
  if (!problem) return;
  const { where, what } = problem;
  throw new LimbeckError('recipe.invalid', what, { where: `${where}, ${apart.where}`, remedy: apart.remedy });
}

/** What teaches a language model with other tokens. */
const OTHER_TOKENS =
  ' Or choose how tokens that differ are compared: keep: spans in the output, with the loss alignedLikelihoods, or keep: { sorted: 32 } with uld.';

/** Whether what is kept of a teacher's answers is about its own tokens. */
function isOfTeachersTokens({ target, options }: ReturnType<typeof outputsOf>[number]): boolean {
  return isByToken(findTarget(target)?.features ?? 'pooled') && !isForOtherTokens(options.keep);
}

/** How a language model reads documents by its own tokenizer, where what is kept of it is for a student with other tokens. */
async function documentsReadBy(
  recipe: Recipe,
  { tokenizer: teacher, maxLength }: TextTeacherSource,
  student: Tokenizer,
): Promise<TeacherReading | undefined> {
  const index = outputsOf(recipe).findIndex(({ options }) => isForOtherTokens(options.keep));
  const output = outputsOf(recipe)[index];
  if (!output) return undefined;
  // Loaded where it is used: pages do not pay for it.
  const { documentReading } = await import('../teaching/document-reading.ts');
  const labels = index === 0 ? 'labels' : `labels/${output.name}`;
  return documentReading({ student, teacher, maxLength, labels });
}
