import { canonicalJson } from '../../data/canonical-json.ts';
import type { Dataset } from '../../data/dataset.ts';
import type { ClassResolver } from '../../data/labels/class-labels.ts';
import type { LabelSummary } from '../../data/labels/label-reader.ts';
import { type ClassMatch, matchClasses } from '../../teachers/match-classes.ts';
import { LOGITS, type TeacherSource } from '../../teachers/teacher-source.ts';

/** Whether the classes of the data keep their order, or take the teacher's. */
type Order = (from: LabelSummary['from']) => 'fixed' | 'free';

/** Of texts: what the recipe lists stays. */
const TEXTS: Order = (from) => (from === 'recipe' ? 'fixed' : 'free');
/** Of images: what their data set lists stays too. */
const IMAGES: Order = (from) => (from === 'rows' ? 'free' : 'fixed');

/** Lets a classifier that teaches decide, with the data, which classes there are and in which order. */
export function classResolver(teacher: TeacherSource, title: string): ClassResolver {
  return resolver(teacher, title, TEXTS);
}

/** The same for a classifier of images. */
export function imageClassResolver(teacher: TeacherSource, title: string): ClassResolver {
  return resolver(teacher, title, IMAGES);
}

/** The same decision again, for a data set that is prepared: what the teacher's outputs are. */
export function matchDataset(teacher: TeacherSource, dataset: Dataset): ClassMatch {
  return matchPrepared(teacher, dataset, TEXTS);
}

/** The same for a classifier of images. */
export function matchImageDataset(teacher: TeacherSource, dataset: Dataset): ClassMatch {
  return matchPrepared(teacher, dataset, IMAGES);
}

function resolver(teacher: TeacherSource, title: string, order: Order): ClassResolver {
  const { names, synonyms } = teacher.classes ?? { names: null, synonyms: null };
  return {
    key: canonicalJson({ names, synonyms, outputs: outputCount(teacher) ?? null }),
    resolve: (labels) => matchSummary(teacher, labels, title, order),
  };
}

function matchPrepared(teacher: TeacherSource, dataset: Dataset, order: Order): ClassMatch {
  const { labels } = dataset.statistics;
  if (!labels) throw new Error(`${dataset.title} has no classes`);
  return matchSummary(teacher, labels, dataset.title, order);
}

function matchSummary(
  teacher: TeacherSource,
  { classes, from }: LabelSummary,
  title: string,
  order: Order,
): ClassMatch {
  const labels = classes.map(({ label }) => label);
  return matchClasses({ labels, order: order(from), title }, classifier(teacher));
}

function classifier(teacher: TeacherSource) {
  return { outputs: outputCount(teacher), classes: teacher.classes, title: teacher.title };
}

function outputCount({ model }: TeacherSource): number | undefined {
  const width = model.outputs.find(({ name }) => name === LOGITS)?.shape?.[1];
  return typeof width === 'number' ? width : undefined;
}
