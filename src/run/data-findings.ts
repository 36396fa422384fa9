import { BROKEN_ROWS_FILE, brokenSummary } from '../data/broken-rows.ts';
import type { Dataset } from '../data/dataset.ts';

/** Classes that a warning names; the others are counted. */
const NAMED = 5;
const SPLITS = ['validation', 'test'] as const;

/** What a person should know of a data set before anything rests on it, a sentence each. */
export function dataFindings({ statistics, labels, splits }: Dataset): string[] {
  const { broken, notes, replaced, origins, classCounts } = statistics;
  const findings = notes.map(({ message }) => message);
  if (broken.count > 0) {
    const [first] = broken.first;
    findings.push(
      `${broken.count} broken rows were left out; the first: ${first?.where}: ${first?.problem} (in all ${brokenSummary(broken)}; listed in ${BROKEN_ROWS_FILE})`,
    );
  }
  if (replaced.count > 0) {
    findings.push(
      `${replaced.count} texts hold the character U+FFFD, which stands for letters that a program before could not read; the first: ${replaced.first}`,
    );
  }
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
    const absent = labels.filter((_, label) => classCounts[name][label] === 0);
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
