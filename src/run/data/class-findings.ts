import type { Dataset } from '../../data/dataset.ts';
import { describeLabelFinding, findInLabels } from '../../data/findings/label-findings.ts';
import type { ClassMatch } from '../../teachers/match-classes.ts';

/** Classes that a sentence names; the others are counted. */
const NAMED = 20;

/**
 * What a person should know of a run's classes, a sentence each: what stands out among the labels, what was assumed of the
 * teacher's outputs, and what is learned from its answers alone.
 */
export function classFindings(dataset: Dataset, classes: ClassMatch | undefined): string[] {
  const { labels, classCounts } = dataset.statistics;
  const findings = (labels ? findInLabels(labels) : [])
    // Classes without rows that the teacher knows are told below.
    .filter(({ kind }) => kind !== 'empty' || !classes)
    .map(describeLabelFinding);
  if (!classes) return findings;
  if (classes.assumed) findings.push(classes.assumed);
  const taught = dataset.labels.filter((_, label) => classCounts.labelled[label] === 0);
  if (taught.length > 0) {
    const names = taught.slice(0, NAMED).map((label) => `'${label}'`);
    if (taught.length > NAMED) names.push(`and ${taught.length - NAMED} more`);
    findings.push(
      `no labelled training sample has the class ${names.join(', ')}: learned from the teacher's answers alone`,
    );
  }
  return findings;
}
