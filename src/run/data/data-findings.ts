import type { Dataset, DatasetStatistics } from '../../data/dataset.ts';
import { summarizeLengths } from '../../data/findings/text-lengths.ts';
import { BROKEN_ROWS_FILE, brokenSummary } from '../../data/rows/broken-rows.ts';
import { percent } from '../../percent.ts';
import type { TeacherSource } from '../../teachers/teacher-source.ts';

/** Classes that a warning names; the others are counted. */
const NAMED = 5;
const SPLITS = ['validation', 'test'] as const;
/** The share of the texts from which on it is told that they are cut. */
const MANY_CUT = 0.02;
/** The share of the rows from which on it is told that they are in two splits. */
const MANY_DUPLICATES = 0.01;
/** The share of held-out samples from which on it is told that an input of theirs trains. */
const MANY_SHARED = 0.02;
/** The share of texts with unknown tokens from which on it is told. */
const MANY_UNKNOWN = 0.02;

/**
 * What a person should know of a data set before anything rests on it, a sentence each.
 *
 * @param teacher whose longest text no advice goes beyond
 * @param list where broken rows are listed, as a sentence has it
 */
export function dataFindings(
  { statistics, labels, splits }: Dataset,
  teacher?: TeacherSource,
  list = `listed in ${BROKEN_ROWS_FILE}`,
): string[] {
  const { broken, notes, replaced, origins, classCounts } = statistics;
  const findings = notes.flatMap(({ kind, message }) => (kind === 'format' ? [] : [message]));
  if (broken.count > 0) {
    const [first] = broken.first;
    findings.push(
      `${broken.count} broken rows were left out; the first: ${first?.where}: ${first?.problem} (in all ${brokenSummary(broken)}; ${list})`,
    );
  }
  if (replaced.count > 0) {
    findings.push(
      `${replaced.count} texts hold the character U+FFFD, which stands for letters that a program before could not read; the first: ${replaced.first}`,
    );
  }
  findings.push(...repeatedFindings(statistics));
  findings.push(...sharedFindings(statistics));
  findings.push(...lengthFindings(statistics, mostTokensOf(teacher)));
  findings.push(...unknownFindings(statistics));
  findings.push(...partFindings(statistics));
  for (const name of SPLITS) {
    const { cut, missing } = origins[name];
    const size = splits[name].size;
    if (cut > 0) {
      findings.push(
        `the data set's own ${name} split was cut to ${size} samples, as splits.${name} asks; ${cut} are not used`,
      );
    }
    if (missing > 0) {
      findings.push(
        `splits.${name} asks for ${size + missing} samples, and the data set's own ${name} split has ${size}: it is taken whole`,
      );
    }
    if (size === 0) continue;
    // What no split has is told of the classes.
    const absent = labels.filter(
      (_, label) => classCounts[name][label] === 0 && everywhere(classCounts, label) > 0,
    );
    if (absent.length > 0) {
      const all = absent.map((label) => {
        const elsewhere = classCounts.train[labels.indexOf(label)] ?? 0;
        return `'${label}' (${elsewhere} to train on)`;
      });
      const more = all.length > NAMED ? ` and ${all.length - NAMED} others` : '';
      findings.push(`no ${name} sample has the class ${all.slice(0, NAMED).join(', ')}${more}`);
    }
  }
  return findings;
}

/** Rows of one image or text that say different things of it, and such that another split has. */
function repeatedFindings({ rows, duplicates, differing }: DatasetStatistics): string[] {
  const findings: string[] = [];
  if (differing) {
    const { contents, rows: own, first } = differing;
    const [pair = []] = first;
    findings.push(
      `${own} rows share their content with another row and say something else of it (${contents} different contents; the first: ${pair.join(' and ')}): each row is a sample of its own, and rows are not gathered. Give all that is true of an image or a text in one row; of boxes a source of kind box-table gathers the rows of an image`,
    );
  }
  if (duplicates > MANY_DUPLICATES * rows) {
    findings.push(
      `${duplicates} of ${rows} rows (${percent(duplicates / rows)}) were left out: their content is in the validation or test split as well, and what is measured on must not be trained on`,
    );
  }
  return findings;
}

/** Inputs that held-out samples share with training samples: the captions of an image are samples of their own. */
function sharedFindings({ shared = {} }: DatasetStatistics): string[] {
  return Object.entries(shared).flatMap(([input, { heldOut, shared: count }]) =>
    count > MANY_SHARED * heldOut
      ? [
          `${count} of ${heldOut} validation and test samples (${percent(count / heldOut)}) have the same ${input} as a training sample: what is measured was partly learnt. data.source.groupField names a column of which equal rows stay in one split`,
        ]
      : [],
  );
}

function mostTokensOf(teacher: TeacherSource | undefined): number {
  return teacher && 'maxLength' in teacher && typeof teacher.maxLength === 'number'
    ? teacher.maxLength
    : Infinity;
}

/** A vocabulary of another language, or without the signs of these texts: models see nothing of what it does not have. */
function unknownFindings({ tokenLengths, unknown }: DatasetStatistics): string[] {
  const texts = tokenLengths.reduce((sum, count) => sum + count, 0);
  if (!unknown || unknown.texts < MANY_UNKNOWN * texts) return [];
  return [
    `${unknown.texts} of ${texts} texts (${percent(unknown.texts / texts)}) hold ${unknown.tokens} tokens that the tokenizer does not know, as if they were of another language; the first: ${unknown.first}`,
  ];
}

/** Words of held-out sentences that the training has not: no model can write them. */
function partFindings({ parts = {} }: DatasetStatistics): string[] {
  return Object.entries(parts).flatMap(([output, counts]) => {
    const told = SPLITS.flatMap((split) => {
      const { all, unknown } = counts[split];
      return unknown > 0
        ? [`${unknown} of ${all} words (${percent(unknown / all)}) of the ${split} split`]
        : [];
    });
    return told.length > 0
      ? [
          `outputs.${output}: ${told.join(' and ')} are not in the vocabulary of the training sentences, and count as wrong`,
        ]
      : [];
  });
}

/** Texts that lose a part say less than the person thinks; few long ones are as expected. */
function lengthFindings({ tokenLengths, longTexts }: DatasetStatistics, mostTokens: number): string[] {
  const lengths = summarizeLengths(tokenLengths, longTexts);
  const texts = tokenLengths.reduce((sum, count) => sum + count, 0);
  if (!lengths || lengths.cut < MANY_CUT * texts) return [];
  const maxLength = tokenLengths.length - 1;
  const cut = `${lengths.cut} of ${texts} texts (${percent(lengths.cut / texts)}) have more than data.maxLength (${maxLength}) tokens and are cut`;
  if (lengths.enough <= mostTokens) return [`${cut}; ${lengths.enough} would cut one of a hundred at most`];
  const longest =
    mostTokens > maxLength ? `; the teacher reads up to ${mostTokens}` : ': the teacher reads no more';
  return [`${cut}${longest}`];
}

function everywhere(counts: Dataset['statistics']['classCounts'], label: number): number {
  return Object.values(counts).reduce((sum, split) => sum + (split[label] ?? 0), 0);
}
