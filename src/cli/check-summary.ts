import type { CheckedClass, CheckedInput, CheckedSample, DataCheck } from '../run/check.ts';
import { formatCount, plainLine } from './progress/format.ts';
import { table } from './table.ts';
import type { Colors } from './terminal.ts';

/** Classes that are listed; of more, the largest and the smallest. */
const LISTED = 20;
const LISTED_FILES = 5;
const TEXT_WIDTH = 160;
const SHOWN_TOKENS = 40;
const SHOWN_BROKEN = 5;

/** What `limbeck check` found, for a person. */
export function checkSummary(check: DataCheck, colors: Pick<Colors, 'bold' | 'yellow' | 'dim'>): string {
  const { title, unit, rows, broken, splits, classes, inputs, lengths, warnings, samples } = check;
  const { duplicates, formats, outputs } = check;
  const used = splits.train + splits.validation + splits.test;
  const left = [
    broken.count > 0 && `${formatCount(broken.count)} broken`,
    duplicates > 0 && `${formatCount(duplicates)} duplicates`,
  ].filter((part) => part !== false);
  const sections = [
    `${colors.bold(plainLine(title))}: ${formatCount(rows)} rows, ${formatCount(used)} ${unit}${left.length > 0 ? ` (${left.join(', ')})` : ''}`,
    ...(formats.length > 0 ? [formatLines(formats)] : []),
    classTable(classes, splits),
    ...outputs.map((output) => classTable(output.classes, undefined, output.name)),
  ];
  if (lengths) {
    const { median, most, longest, cut, maxLength } = lengths;
    sections.push(
      `Tokens: half of the texts have up to ${formatCount(median)}, 95 % up to ${formatCount(most)}, the longest ${formatCount(longest)}; data.maxLength (${maxLength}) cuts ${formatCount(cut)}.\n`,
    );
  }
  if (inputs.length > 0) sections.push(inputs.map(inputLines).join(''));
  if (broken.count > 0) {
    const lines = broken.first
      .slice(0, SHOWN_BROKEN)
      .map(({ where, problem }) => `  ${plainLine(where)}: ${plainLine(problem)}`);
    sections.push(`Broken rows:\n${lines.join('\n')}\n`);
  }
  sections.push(
    `${colors.bold(`As models see ${unit === 'images' ? 'the images' : 'them'}`)}\n${samples.map((sample) => sampleLines(sample, classes.length > 0, colors)).join('\n')}`,
  );
  sections.push(
    warnings.length === 0
      ? 'Nothing to warn of.\n'
      : `${colors.bold('Warnings')}\n${warnings.map((warning) => `${colors.yellow('!')} ${plainLine(warning)}\n`).join('')}`,
  );
  return sections.join('\n');
}

/** How the files are read; of many the first. */
function formatLines(formats: readonly string[]): string {
  const lines = formats.slice(0, LISTED_FILES).map((line) => `${plainLine(line)}\n`);
  const more = formats.length - lines.length;
  return `${lines.join('')}${more > 0 ? `... ${more} more files\n` : ''}`;
}

/** `image: 3 animated (the first: emoji.csv:12), 40 alpha`. */
function inputLines({ name, missing, facts }: CheckedInput): string {
  const parts = [
    ...(missing > 0 ? [`${formatCount(missing)} samples without it`] : []),
    ...facts.map(
      ({ fact, samples, first }) =>
        `${formatCount(samples)} ${fact}${first === undefined ? '' : ` (the first: ${plainLine(first)})`}`,
    ),
  ];
  return `${plainLine(name)}: ${parts.join(', ')}\n`;
}

/** Samples of each class, under the name of their output where it is not the main one; in all, where a sample has one of them. */
function classTable(
  classes: readonly CheckedClass[],
  splits: DataCheck['splits'] | undefined,
  output = '',
): string {
  const bySize = [...classes].sort((a, b) => b.train - a.train);
  const most =
    bySize.length <= LISTED ? bySize : [...bySize.slice(0, LISTED / 2), ...bySize.slice(-LISTED / 2)];
  const numbers = ({ train, labelled, validation, test }: Omit<CheckedClass, 'name'>) =>
    [train, labelled, validation, test].map(formatCount);
  const rows = most.map((row) => [plainLine(row.name), ...numbers(row)]);
  if (most.length < bySize.length)
    rows.splice(LISTED / 2, 0, [`... ${bySize.length - most.length} more classes`, '', '', '', '']);
  const head = [plainLine(output), 'train', 'with label', 'validation', 'test'];
  return table([head, ...rows, ...(splits ? [['in all', ...numbers(splits)]] : [])]);
}

function sampleLines(sample: CheckedSample, hasClasses: boolean, colors: Pick<Colors, 'dim'>): string {
  const { text, label, ids, pieces, dims, range } = sample;
  const line = plainLine(text);
  const shown = line.length > TEXT_WIDTH ? `${line.slice(0, TEXT_WIDTH)}...` : line;
  const named = label === null ? colors.dim('no label') : plainLine(label);
  const lines = [label !== null || hasClasses ? `  ${named}: ${shown}` : `  ${shown}`];
  if (ids && pieces) {
    const tokens = pieces
      .slice(0, SHOWN_TOKENS)
      .map((piece, i) => `${plainLine(piece)}${colors.dim(`·${ids[i]}`)}`);
    lines.push(`    ${ids.length} tokens: ${tokens.join(' ')}${ids.length > SHOWN_TOKENS ? ' ...' : ''}`);
  }
  if (dims && range)
    lines.push(`    ${dims.join(' x ')}, values from ${range[0].toFixed(2)} to ${range[1].toFixed(2)}`);
  return `${lines.join('\n')}\n`;
}
