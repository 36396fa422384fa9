import { readMmlu } from '../data/questions/mmlu.ts';
import { mmluCategory } from '../data/questions/mmlu-categories.ts';
import { type WordnetQuestionKind, wordnetQuestions } from '../data/questions/wordnet-questions.ts';
import type { BrokenRow } from '../data/sample.ts';
import { wordnetFolder } from '../data/sources/wordnet-glosses.ts';
import type { NounSynset } from '../data/sources/wordnet-hierarchy.ts';
import { nounSynsets } from '../data/sources/wordnet-kinds.ts';
import type { TextSplit } from '../data/text-split.ts';
import type { Engine } from '../engine/engine.ts';
import { LimbeckError } from '../errors.ts';
import type { OnEvent } from '../events.ts';
import type { TextGenerator } from '../generate/text-generator.ts';
import { type ChoiceReport, measureChoices } from '../metrics/choices/multiple-choice.ts';
import { lettersPrompt, textsPrompt } from '../metrics/choices/prompts.ts';
import type { Question } from '../metrics/choices/question.ts';
import { existsSync } from '../platform/files.ts';
import { join, resolve } from '../platform/paths.ts';
import { reopenRun } from './context/finished-run.ts';
import { dataAsInRun } from './data/kept-splits-file.ts';
import { openTextGenerator } from './open-text-generator.ts';
import { openTask } from './tasks/index.ts';

/** Sets of questions that are made of the nouns of WordNet that a run held out. */
export const WORDNET_QUESTIONS: Readonly<Record<string, WordnetQuestionKind>> = {
  definitions: 'definition',
  hypernyms: 'hypernym',
  examples: 'example',
};

/** The sources whose samples are known by the synset that they define. */
const SOURCES = ['wordnet-entries', 'wordnet-glosses', 'wordnet-kinds'];

export interface AskQuestionsOptions {
  /** `definitions`, `hypernyms`, `examples`; or the folder of MMLU, or of questions in its form. */
  readonly questions: string;
  /** Which of the folder's models is asked (`onnx/model.onnx`). */
  readonly model?: string | undefined;
  /** Questions at most: 1,000 of WordNet, all of a folder. */
  readonly count?: number | undefined;
  /** Draws questions and wrong choices of WordNet; 0 when absent. */
  readonly seed?: number | undefined;
  /** Answered questions before each of a folder, at most; 5 when absent, as the authors of MMLU have it. */
  readonly shots?: number | undefined;
  readonly engine?: Pick<Engine, 'load'> | undefined;
  readonly onEvent?: OnEvent | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface QuestionsResult extends ChoiceReport {
  /** What was asked, for people. */
  readonly title: string;
  /** Answered questions before each, in the mean: fewer than were asked for where the model has too few positions for them. */
  readonly shots: number;
  /** Questions that the model has too few positions for; they are not asked. */
  readonly tooLong: number;
  /** Rows of a folder that are no questions. */
  readonly broken: readonly BrokenRow[];
}

const COUNT = 1000;
const SHOTS = 5;

/**
 * Asks a language model questions with choices, by likelihood: nothing is written. Those of WordNet are about nouns that the run's
 * test split holds out, whose glosses the model has never read.
 *
 * @param target a run's folder, or a model's for questions of a folder
 * @throws LimbeckError `data.not-found`, `recipe.invalid` for questions about WordNet to a run of other data, of
 *   `openTextGenerator` and `measureChoices`
 */
export async function askQuestions(target: string, options: AskQuestionsOptions): Promise<QuestionsResult> {
  const { engine, model: file, onEvent, signal } = options;
  const found = await questionsOf(target, options);
  if (found.questions.length === 0) throw noQuestions(found);
  const model = await openTextGenerator(target, { engine, model: file });
  try {
    let shots = 0;
    const asked = found.questions.flatMap((question) => {
      const prompt = found.ask(question, model);
      const longest = Math.max(...prompt.continuations.map((text) => model.tokens(prompt.prompt + text)));
      if (longest > (model.maxLength ?? Number.POSITIVE_INFINITY)) return [];
      shots += prompt.shots ?? 0;
      return [question];
    });
    if (asked.length === 0) throw noQuestions(found);
    const report = await measureChoices(asked, together(model), {
      ask: (question) => found.ask(question, model),
      categoryOf: found.categoryOf,
      signal,
      onProgress: (done) =>
        onEvent?.({
          type: 'progress',
          stage: 'evaluate',
          task: 'asking',
          done,
          total: asked.length,
          unit: 'questions',
        }),
    });
    const tooLong = found.questions.length - asked.length;
    return { title: found.title, shots: shots / asked.length, tooLong, broken: found.broken, ...report };
  } finally {
    await model.release();
  }
}

/** Scores that are asked for in one turn are one batch: the choices of a question. */
function together(model: TextGenerator): (prompt: string, continuation: string) => Promise<number> {
  let waiting: { prompt: string; texts: string[]; scores: Promise<number[]> } | undefined;
  return async (prompt, continuation) => {
    if (waiting?.prompt !== prompt) {
      const texts: string[] = [];
      const scores = Promise.resolve().then(() => {
        waiting = undefined;
        return model.logLikelihoods(prompt, texts);
      });
      waiting = { prompt, texts, scores };
    }
    const { texts, scores } = waiting;
    const place = texts.push(continuation) - 1;
    return (await scores)[place] as number;
  };
}

interface FoundQuestions {
  readonly title: string;
  readonly questions: readonly Question[];
  readonly broken: readonly BrokenRow[];
  ask(question: Question, model: TextGenerator): ReturnType<typeof textsPrompt>;
  readonly categoryOf?: (subject: string) => string | undefined;
}

async function questionsOf(target: string, options: AskQuestionsOptions): Promise<FoundQuestions> {
  const { questions, count, seed = 0, shots = SHOTS } = options;
  const kind = WORDNET_QUESTIONS[questions];
  if (kind) {
    const { heldOut, source } = await heldOutSynsets(target);
    const isHeldOut = ({ offset }: NounSynset) => heldOut.has(`noun.${offset}`);
    const form = source === 'wordnet-entries' ? 'entries' : 'sentences';
    const made = wordnetQuestions(await allNouns(), { kind, isHeldOut, seed, count: count ?? COUNT, form });
    return {
      title: `${questions} of held-out nouns of WordNet`,
      questions: made,
      broken: [],
      ask: textsPrompt,
    };
  }
  if (!existsSync(resolve(questions))) throw unknownQuestions(questions);
  const { subjects, broken } = await readMmlu(resolve(questions));
  const shotsOf = new Map(subjects.map((subject) => [subject.name, subject.shots.slice(0, shots)]));
  return {
    title: questions,
    questions: subjects.flatMap((subject) => subject.questions).slice(0, count),
    broken,
    categoryOf: mmluCategory,
    ask: (question, model) =>
      lettersPrompt(question, {
        shots: shotsOf.get(question.subject) ?? [],
        // A letter is a token more.
        fits: (prompt) => model.tokens(prompt) < (model.maxLength ?? Number.POSITIVE_INFINITY),
      }),
  };
}

function unknownQuestions(questions: string): LimbeckError {
  return new LimbeckError('data.not-found', 'there are no such questions, and no such folder', {
    where: questions,
    remedy: `Write one of ${Object.keys(WORDNET_QUESTIONS).join(', ')}, or the folder that MMLU is unpacked to.`,
  });
}

async function allNouns(): Promise<NounSynset[]> {
  const synsets: NounSynset[] = [];
  for await (const one of nounSynsets(join(await wordnetFolder(), 'dict', 'data.noun')))
    if (!('broken' in one)) synsets.push(one);
  return synsets;
}

/** The ids of what a run tested on, and did not learn from. */
async function heldOutSynsets(
  target: string,
): Promise<{ readonly heldOut: ReadonlySet<string>; readonly source: string }> {
  const folder = resolve(target);
  const isRun = existsSync(join(folder, 'recipe.resolved.yaml'));
  const source = isRun ? (reopenRun(folder).recipe.data.source as { readonly kind: string }).kind : undefined;
  if (source === undefined || !SOURCES.includes(source)) {
    throw new LimbeckError('recipe.invalid', 'nothing says which nouns of WordNet the model has never read', {
      where: folder,
      remedy: `Give the folder of a run whose data are ${SOURCES.join(', ')}; other models are asked questions of a folder.`,
    });
  }
  const { recipe, options } = reopenRun(folder);
  const task = await openTask({ recipe, options });
  const { dataset } = await dataAsInRun(
    (kept) => task.prepareData({ ...(kept && { kept }) }),
    folder,
    'test',
  );
  try {
    const test = dataset.splits.test as TextSplit;
    // Of a long entry every piece has a number behind its id.
    const heldOut = new Set(Array.from({ length: test.size }, (_, i) => test.id(i).replace(/#\d+$/, '')));
    return { heldOut, source };
  } finally {
    dataset.close();
  }
}

/** Broken rows come first: a question that is too long may be several, of which a quote is not closed. */
function noQuestions({ title, questions, broken }: FoundQuestions): LimbeckError {
  const [first] = broken;
  const rows = broken.length === 1 ? 'a row is no question' : `${broken.length} rows are no questions`;
  const why = first ? [`${rows}; ${broken.length === 1 ? '' : 'the first: '}${first.problem}`] : [];
  if (questions.length > 0)
    why.push(`the model has too few positions for any of ${questions.length} questions`);
  return new LimbeckError('data.empty', why.join('; ') || 'there are no questions', {
    where: first ? `${title}, ${first.where}` : title,
    remedy: first
      ? 'Write a question, its four choices and the letter of the right one into each row, without a header.'
      : questions.length === 0
        ? 'Check the folder.'
        : 'Take a model that reads longer texts, or fewer shots.',
  });
}
