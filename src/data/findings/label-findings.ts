import { hasInvisible, looseName, renaming } from '../labels/class-name.ts';
import type { LabelSummary } from '../labels/label-reader.ts';

/** A class and how many rows have it. */
export interface ClassRows {
  readonly label: string;
  readonly rows: number;
}

/** Something about the labels of a data set that its owner should know. */
export type LabelFinding =
  /** Classes whose names differ in case, spaces or the writing of a number only. */
  | { readonly kind: 'near-equal'; readonly classes: readonly ClassRows[] }
  /** A class with a name that often means that there is no label. */
  | ({ readonly kind: 'mark' } & ClassRows)
  /** Classes whose names look like lists: several labels in one. */
  | { readonly kind: 'list-like'; readonly classes: readonly ClassRows[] }
  /** Rows that were taken for rows without a label. */
  | { readonly kind: 'no-label'; readonly value: string; readonly rows: number }
  /** Classes with one row. */
  | { readonly kind: 'rare'; readonly classes: readonly ClassRows[] }
  /** Classes that the recipe or the data set names, and no row has. */
  | { readonly kind: 'empty'; readonly classes: readonly ClassRows[] }
  | { readonly kind: 'unused-names'; readonly names: readonly string[] }
  /** Texts with different labels in different rows; `first` are two such rows of some of them, with their labels. */
  | {
      readonly kind: 'contradictions';
      readonly texts: number;
      readonly rows: number;
      readonly first: readonly (readonly { readonly place: string; readonly label: string }[])[];
    };

/** The labels of a data set and the contradictions in it. */
export interface LabelStatistics extends LabelSummary {
  /** With the number of the class that each label is; -1 for one that is left out. */
  readonly classes: readonly (ClassRows & { readonly class: number })[];
  readonly contradictions: {
    readonly texts: number;
    readonly rows: number;
    readonly first: readonly (readonly { readonly place: string; readonly label: string }[])[];
  };
}

const MARK = /^(-100|nan|null|none|nil|n\/?a|undefined|missing|unlabell?ed|\?|-)$/i;
const LIST = /^\s*[[{(].*[\])}]\s*$/s;

/** All that stands out among the labels of a data set, the most telling first. */
export function findInLabels(labels: LabelStatistics): LabelFinding[] {
  const { classes, contradictions, noLabel, unusedNames } = labels;
  const findings: LabelFinding[] = [];
  const alike = new Map<string, ClassRows[]>();
  for (const one of classes) {
    const name = looseName(one.label);
    alike.set(name, [...(alike.get(name) ?? []), one]);
  }
  for (const group of alike.values())
    if (group.length > 1) findings.push({ kind: 'near-equal', classes: group });
  for (const one of classes)
    if (one.rows > 0 && isMark(one.label, classes)) findings.push({ kind: 'mark', ...one });
  const lists = classes.filter(({ label, rows }) => rows > 0 && LIST.test(label));
  if (lists.length > 0) findings.push({ kind: 'list-like', classes: lists });
  for (const { value, rows } of noLabel) findings.push({ kind: 'no-label', value, rows });
  if (contradictions.texts > 0) findings.push({ kind: 'contradictions', ...contradictions });
  const [empty, rare] = [0, 1].map((count) => classes.filter(({ rows }) => rows === count));
  if (rare && rare.length > 0) findings.push({ kind: 'rare', classes: rare });
  if (empty && empty.length > 0) findings.push({ kind: 'empty', classes: empty });
  if (unusedNames.length > 0) findings.push({ kind: 'unused-names', names: unusedNames });
  return findings;
}

/** -1 is a class beside 1 and 0 (an opinion), and a mark beside other numbers. */
function isMark(label: string, classes: readonly ClassRows[]): boolean {
  if (MARK.test(label.trim())) return true;
  if (looseName(label) !== '-1') return false;
  const others = classes.map((one) => looseName(one.label)).filter((name) => name !== '-1');
  return !(others.includes('1') && others.every((name) => name === '0' || name === '1'));
}

/** A finding as a sentence, with what to do about it. */
export function describeLabelFinding(finding: LabelFinding): string {
  switch (finding.kind) {
    case 'near-equal': {
      const [most, ...others] = [...finding.classes].sort((a, b) => b.rows - a.rows) as [
        ClassRows,
        ...ClassRows[],
      ];
      const names = others.map(({ label }) => label);
      const hidden = finding.classes.some(({ label }) => hasInvisible(label))
        ? ', characters that cannot be seen'
        : '';
      return `the classes ${listed(finding.classes)} differ in case, spaces${hidden} or the writing of a number only, and are kept apart; to make them one: ${renaming(names, most.label)}`;
    }
    case 'mark':
      return `the label ${listed([finding])} is a class like any other; if it means that a row has no label: ${renaming([finding.label], null)}`;
    case 'list-like':
      return `the labels ${listed(finding.classes)} look like lists and are taken as one class each: a text can have one class`;
    case 'no-label':
      return finding.rows === 1
        ? `1 row with the label '${finding.value}' was taken for a row without a label`
        : `${finding.rows} rows with the label '${finding.value}' were taken for rows without a label`;
    case 'contradictions': {
      const [first] = finding.first;
      const example = first
        ? `; the first: ${first.map(({ place, label }) => `${place} has '${label}'`).join(', ')}`
        : '';
      const noun = finding.texts === 1 ? 'text has' : 'texts have';
      return `${finding.texts} ${noun} different labels in different rows (${rows(finding.rows)}, all kept)${example}`;
    }
    case 'rare':
      return `classes with one row, too few to learn or to measure: ${named(finding.classes)}`;
    case 'empty':
      return `no row has the class ${named(finding.classes)}, which the data set declares: left out`;
    case 'unused-names':
      return `data.renameLabels names what no row has: ${finding.names.map((name) => `'${name}'`).join(', ')}`;
  }
}

const MOST_LISTED = 20;

function listed(classes: readonly ClassRows[]): string {
  const shown = classes.slice(0, MOST_LISTED).map(({ label, rows: count }) => `'${label}' (${rows(count)})`);
  if (classes.length > MOST_LISTED) shown.push(`and ${classes.length - MOST_LISTED} more`);
  return shown.join(', ');
}

function named(classes: readonly ClassRows[]): string {
  const shown = classes.slice(0, MOST_LISTED).map(({ label }) => `'${label}'`);
  if (classes.length > MOST_LISTED) shown.push(`and ${classes.length - MOST_LISTED} more`);
  return shown.join(', ');
}

function rows(count: number): string {
  return `${count} ${count === 1 ? 'row' : 'rows'}`;
}
