import { boxesSection } from './boxes.ts';
import { classSection } from './class.ts';
import { classesSection } from './classes.ts';
import { embeddingSection } from './embedding.ts';
import { frameClassesSection } from './frame-classes.ts';
import { numberSection } from './number.ts';
import { pairsSection } from './pairs.ts';
import type { SectionCollector, SectionContext } from './section.ts';
import { sentenceSection } from './sentence.ts';
import { tokenClassesSection } from './token-classes.ts';

type MakeSection = (context: SectionContext) => SectionCollector;

/** What the report shows of an output, by the kind of its target. A new one is a file beside these, and a line here. */
const SECTIONS = new Map<string, MakeSection>([
  ['class', classSection],
  ['classes', classesSection],
  ['number', numberSection],
  ['embedding', embeddingSection],
  ['token-classes', tokenClassesSection],
  ['frame-classes', frameClassesSection],
  ['boxes', boxesSection],
  ['pairs', pairsSection],
  ['sentence', sentenceSection],
]);

/** Adds the section of a target from outside the package. */
export function registerSection(kind: string, make: MakeSection): void {
  SECTIONS.set(kind, make);
}

/** The section of a kind of target; undefined where there is none. */
export function sectionOf(kind: string): MakeSection | undefined {
  return SECTIONS.get(kind);
}
