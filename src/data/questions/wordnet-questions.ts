import type { Question } from '../../metrics/choices/question.ts';
import { mixSeed, type RandomStream, randomStream } from '../../random.ts';
import { definition, examples } from '../sources/wordnet-gloss.ts';
import { NounHierarchy, type NounSynset } from '../sources/wordnet-hierarchy.ts';

/** What is asked of a word: what it means, what it is a kind of, in which sentence it stands with its meaning. */
export type WordnetQuestionKind = 'definition' | 'hypernym' | 'example';

export interface WordnetQuestionOptions {
  readonly kind: WordnetQuestionKind;
  /** Whether a model has never read the gloss of a synset: questions and wrong choices are made of such ones alone. */
  readonly isHeldOut: (synset: NounSynset) => boolean;
  readonly seed: number;
  /** Questions at most. */
  readonly count?: number;
  /** 4 when absent. */
  readonly choices?: number;
  /**
   * How a model is asked that only continues texts: in `sentences` (the default), or as `entries` of a dictionary, for models that
   * have read no others (`wordnet-entries`).
   */
  readonly form?: 'sentences' | 'entries';
}

/** Synsets that are tried as wrong choices of one question, at most. */
const TRIES = 400;
/** Choices of a question are all between two powers of it long, so that the right one is neither longer nor shorter than others. */
const LENGTHS = 1.6;

/**
 * Questions with choices about nouns of WordNet whose glosses are held out. Wrong choices are of the same kind: they come from
 * other held-out nouns of the same lexicographer file (`noun.animal`), are about as long, and none of them is true. A model would find
 * glosses that it has read likelier than others, so none that it may have read is among the choices. The same seed gives the same
 * questions; each depends on nothing but the seed and the held-out nouns.
 *
 * Words with capitals (names), and words that tell the answer by themselves (`guide dog`, of which the kind is `dog`), are not asked.
 */
export function wordnetQuestions(
  synsets: readonly NounSynset[],
  {
    kind,
    isHeldOut,
    seed,
    count = Number.POSITIVE_INFINITY,
    choices = 4,
    form = 'sentences',
  }: WordnetQuestionOptions,
): Question[] {
  const asker = ASKERS[kind](synsets);
  const held = synsets.filter((synset) => isHeldOut(synset) && asker.right(synset) !== undefined);
  const byFile = new Map<string, NounSynset[]>();
  for (const synset of held) {
    const others = byFile.get(synset.file);
    if (others) others.push(synset);
    else byFile.set(synset.file, [synset]);
  }
  const order = held
    .map((synset) => ({ synset, place: mixSeed(seed, 'question', kind, synset.offset) }))
    .sort((a, b) => a.place - b.place || (a.synset.offset < b.synset.offset ? -1 : 1));
  const questions: Question[] = [];
  for (const { synset } of order) {
    if (questions.length >= count) break;
    const random = randomStream(seed, 'choices', kind, synset.offset);
    const wrong = wrongChoices(synset, byFile.get(synset.file) as NounSynset[], asker, choices - 1, random);
    if (!wrong) continue;
    const answer = random.integer(choices);
    questions.push({
      id: `noun.${synset.offset}`,
      subject: synset.file,
      choices: wrong.toSpliced(answer, 0, asker.right(synset) as string).map(asker[form].choice),
      answer,
      text: asker.text(synset),
      ...asker[form].ask(synset),
    });
  }
  return questions;
}

/** Whether a synset's definition is among some texts: those of the test split of `wordnet-glosses`. */
export function definedIn(texts: Iterable<string>): (synset: NounSynset) => boolean {
  const known = new Set(texts);
  return ({ gloss }) => known.has(definition(gloss));
}

/** How a kind of question is made. */
interface Asker {
  /** The right choice; undefined for a synset that is not asked about. */
  right(synset: NounSynset): string | undefined;
  /** What another synset gives as a wrong one; undefined where it would be right. */
  wrong(synset: NounSynset, other: NounSynset): string | undefined;
  text(synset: NounSynset): string;
  readonly sentences: Form;
  readonly entries: Form;
}

/** A way to ask a model that only continues texts. */
interface Form {
  ask(synset: NounSynset): Required<Pick<Question, 'beginning' | 'premise'>>;
  /** A choice as it goes on. */
  choice(text: string): string;
}

const asItIs = (text: string) => text;
/** What stands in an entry before its definition. */
const NOUN = '(noun):';
const entryOf = ({ words }: NounSynset) => `${words.join(', ')} ${NOUN}`;

const ASKERS: Readonly<Record<WordnetQuestionKind, (synsets: readonly NounSynset[]) => Asker>> = {
  definition: (synsets) => {
    const hierarchy = new NounHierarchy(synsets);
    const right = (synset: NounSynset) => {
      const text = definition(synset.gloss);
      return isPlain(synset) && !synset.words.some((word) => shareWords(word, text)) ? text : undefined;
    };
    return {
      right,
      // Of what a word is a kind of, and of its kinds, the definition is true too, or nearly.
      wrong: (synset, other) => (related(hierarchy, synset, other) ? undefined : right(other)),
      text: ({ word }) => `What does "${word}" mean?`,
      sentences: {
        ask: ({ word }) => ({ beginning: `The word "${word}" means:`, premise: 'The word means:' }),
        choice: asItIs,
      },
      entries: { ask: (synset) => ({ beginning: entryOf(synset), premise: NOUN }), choice: asItIs },
    };
  },
  hypernym: (synsets) => {
    const hierarchy = new NounHierarchy(synsets);
    const byOffset = new Map(synsets.map((synset) => [synset.offset, synset]));
    const above = (synset: NounSynset) => byOffset.get(synset.hypernyms[0] ?? '');
    const right = (synset: NounSynset) => {
      const kind = above(synset);
      if (!kind || !isPlain(synset) || !isPlain(kind)) return undefined;
      const tells = synset.words.some((word) => kind.words.some((name) => shareWords(word, name)));
      return tells ? undefined : kind.word;
    };
    return {
      right,
      wrong(synset, other) {
        const kind = above(other);
        const name = right(other);
        if (!kind || !name) return undefined;
        const truths = [...hierarchy.ancestors(synset.offset).keys()].flatMap(
          (offset) => byOffset.get(offset)?.words ?? [],
        );
        return truths.includes(name) || hierarchy.ancestors(kind.offset).has(synset.offset)
          ? undefined
          : name;
      },
      text: ({ word }) => `What is "${word}" a kind of?`,
      sentences: {
        ask: ({ word }) => ({
          beginning: `${article(word)} ${word} is a kind of`,
          premise: 'It is a kind of',
        }),
        choice: asItIs,
      },
      // Definitions begin with what a thing is: `an intelligent dog ...`.
      entries: {
        ask: (synset) => ({ beginning: entryOf(synset), premise: NOUN }),
        choice: (name) => `${article(name).toLowerCase()} ${name}`,
      },
    };
  },
  example: () => {
    const right = (synset: NounSynset) => {
      const found = isPlain(synset) ? sentenceOf(synset) : undefined;
      return found?.sentence;
    };
    return {
      right,
      // The sentence of another word, with this word in its place.
      wrong(synset, other) {
        const found = isPlain(other) && !other.words.includes(wordIn(synset)) ? sentenceOf(other) : undefined;
        return found?.sentence.replace(wholeWord(found.word), () => wordIn(synset));
      },
      text: (synset) => `Which sentence is about ${meaningOf(synset)}?`,
      sentences: {
        ask: (synset) => ({
          beginning: `A sentence with ${meaningOf(synset)}:`,
          premise: `A sentence with "${wordIn(synset)}":`,
        }),
        choice: asItIs,
      },
      // The word is in every choice: what its definition tells is asked for.
      entries: {
        ask: (synset) => ({
          beginning: `${entryOf(synset)} ${definition(synset.gloss)};`,
          premise: entryOf(synset),
        }),
        choice: (sentence) => `"${sentence}"`,
      },
    };
  },
};

function wrongChoices(
  synset: NounSynset,
  others: readonly NounSynset[],
  asker: Asker,
  wanted: number,
  random: RandomStream,
): string[] | undefined {
  const right = asker.right(synset) as string;
  const found: string[] = [];
  for (let i = 0; i < TRIES && found.length < wanted; i++) {
    const other = others[random.integer(others.length)] as NounSynset;
    if (other === synset) continue;
    const text = asker.wrong(synset, other);
    if (text === undefined || text === right || found.includes(text)) continue;
    if (lengthClass(text) === lengthClass(right)) found.push(text);
  }
  return found.length === wanted ? found : undefined;
}

function lengthClass({ length }: string): number {
  return Math.floor(Math.log(length) / Math.log(LENGTHS));
}

/** Names are known or not, and tell nothing of how well a language is known. */
function isPlain({ words }: NounSynset): boolean {
  return words.every((word) => /^[a-z][a-z' -]*$/.test(word));
}

/** The first example that has one of the synset's words as it stands. */
function sentenceOf({ gloss, words }: NounSynset): { sentence: string; word: string } | undefined {
  for (const sentence of examples(gloss)) {
    const word = words.find((one) => wholeWord(one).test(sentence));
    if (word && sentence.split(' ').length >= 4) return { sentence, word };
  }
  return undefined;
}

function meaningOf(synset: NounSynset): string {
  return `"${wordIn(synset)}" (${definition(synset.gloss)})`;
}

function wordIn(synset: NounSynset): string {
  return sentenceOf(synset)?.word ?? synset.word;
}

function wholeWord(word: string): RegExp {
  return new RegExp(`(?<![\\p{L}-])${word}(?![\\p{L}-])`, 'u');
}

/** Whether two texts have a word of more than three letters in common, or one that begins as the other. */
function shareWords(a: string, b: string): boolean {
  const wordsOf = (text: string): string[] => text.toLowerCase().match(/[a-z]{4,}/g) ?? [];
  const [first, second] = [wordsOf(a), wordsOf(b)];
  return first.some((x) => second.some((y) => x.startsWith(y) || y.startsWith(x)));
}

function related(hierarchy: NounHierarchy, a: NounSynset, b: NounSynset): boolean {
  return hierarchy.ancestors(a.offset).has(b.offset) || hierarchy.ancestors(b.offset).has(a.offset);
}

function article(word: string): string {
  return /^[aeiou]/.test(word) ? 'An' : 'A';
}
