import { allObjectives } from '../src/objectives/index.ts';
import { innerOf, lossFits, SCHEDULES } from '../src/recipe/meaning.ts';
import { targets } from '../src/targets/index.ts';
import { isMeaningless } from '../src/targets/inner/inner-knowledge.ts';

export const BEGIN = '<!-- what has a meaning for which answers: npx tsx scripts/write-inner-table.ts -->';
export const END = '<!-- end of what has a meaning -->';

/** What of a recipe has a meaning for which kind of answers, as the code says it: tables in Markdown, and the reasons of what has none. */
export function innerTable(): string {
  const kinds = targets().map(({ kind }) => kind);
  const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const head = (first: string, ...more: string[]) => [
    row([first, ...kinds.map((kind) => `\`${kind}\``), ...more]),
    row([first, ...kinds, ...more].map(() => '---')),
  ];
  const losses = allObjectives().map((loss) =>
    row([
      `\`${loss.kind}\``,
      ...kinds.map((kind) => lossFits(loss, kind)),
      loss.relatesRows ? 'among themselves' : loss.kind === 'output' ? 'their share' : 'exact',
    ]),
  );
  const schedules = SCHEDULES.map(({ key, asked }) =>
    row([
      `\`${key}\``,
      ...kinds.map((kind) => (asked.some((one) => isMeaningless(innerOf(kind)[one])) ? '' : 'yes')),
    ]),
  );
  const reasons = new Map<string, string[]>();
  for (const kind of kinds) {
    for (const [asked, meaning] of Object.entries(innerOf(kind))) {
      if (!isMeaningless(meaning)) continue;
      const said = `\`${kind}\` (${asked}): ${meaning.because}`;
      reasons.set(said, [...(reasons.get(said) ?? []), kind]);
    }
  }
  return [
    ...head('loss', 'micro-batches'),
    ...losses,
    '',
    ...head('schedule'),
    ...schedules,
    '',
    'Why not:',
    '',
    ...[...reasons.keys()].map((reason) => `- ${reason}`),
  ].join('\n');
}

/** A page with the table between its marks. */
export function withInnerTable(page: string): string {
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (from < 0 || to < from) throw new Error('the page has no place for the table');
  return `${page.slice(0, from)}${BEGIN}\n\n${innerTable()}\n\n${page.slice(to)}`;
}
