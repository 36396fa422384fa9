/** A recording of a word among Asterisk's prompts. */
export interface Recording {
  readonly word: string;
  /** Relative to the folder of the prompts. */
  readonly file: string;
}

const DIGITS = 'zero one two three four five six seven eight nine'.split(' ');
const MONTHS = 'january february march april may june july august september october november december'.split(
  ' ',
);
const DAYS = 'sunday monday tuesday wednesday thursday friday saturday'.split(' ');
const SPELLING =
  'alpha bravo charlie delta echo foxtrot golf hotel india juliet kilo lima mike november oscar papa quebec romeo sierra tango uniform victor whiskey x-ray yankee zulu'.split(
    ' ',
  );
const OTHERS: Readonly<Record<string, readonly string[]>> = {
  digits: ['hundred', 'thousand', 'million', 'minus', 'star', 'pound', 'today', 'tomorrow', 'yesterday'],
  letters: ['plus', 'dollar', 'dash', 'dot', 'equals', 'slash', 'space', 'asterisk'],
  '.': ['hello', 'goodbye'],
};

const RECORDINGS: readonly Recording[] = [
  ...DIGITS.map((word, i) => ({ word, file: `digits/${i}.wav` })),
  ...MONTHS.map((word, i) => ({ word, file: `digits/mon-${i}.wav` })),
  ...DAYS.map((word, i) => ({ word, file: `digits/day-${i}.wav` })),
  ...SPELLING.map((word) => ({ word, file: `phonetic/${word[0]}_p.wav` })),
  ...Object.entries(OTHERS).flatMap(([folder, words]) =>
    words.map((word) => ({ word, file: `${folder}/${word}.wav` })),
  ),
];

/** The prompts that are one of the words and nothing else. */
export function recordingsOf(words: readonly string[]): readonly Recording[] {
  return RECORDINGS.filter(({ word }) => words.includes(word));
}
