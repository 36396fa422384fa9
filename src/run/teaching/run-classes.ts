import { canonicalJson } from '../../data/canonical-json.ts';
import type { Dataset } from '../../data/dataset.ts';
import type { LabelSummary } from '../../data/label-reader.ts';
import type { ClassResolver } from '../../data/prepare-text-dataset.ts';
import { type ClassMatch, matchClasses } from '../../teachers/match-classes.ts';
import { LOGITS, type TeacherSource } from '../../teachers/teacher-source.ts';

/** Lets a classifier that teaches decide, with the data, which classes there are and in which order. */
export function classResolver(teacher: TeacherSource, title: string): ClassResolver {
  const { names, synonyms } = teacher.classes ?? { names: null, synonyms: null };
  return {
    key: canonicalJson({ names, synonyms, outputs: outputCount(teacher) ?? null }),
    resolve: (labels) => matchSummary(teacher, labels, title),
  };
}

/** The same decision again, for a data set that is prepared: what the teacher's outputs are. */
export function matchDataset(teacher: TeacherSource, dataset: Dataset): ClassMatch {
  const { labels } = dataset.statistics;
  if (labels) return matchSummary(teacher, labels, dataset.title);
  return matchImageClasses(teacher, dataset.labels, dataset.title);
}

/** The classes of a source that lists them all in their order, as sources of images do. */
export function matchImageClasses(
  teacher: TeacherSource,
  labels: readonly string[],
  title: string,
): ClassMatch {
  return matchClasses({ labels, order: 'fixed', title }, classifier(teacher));
}

function matchSummary(teacher: TeacherSource, { classes, from }: LabelSummary, title: string): ClassMatch {
  const labels = classes.map(({ label }) => label);
  return matchClasses({ labels, order: from === 'recipe' ? 'fixed' : 'free', title }, classifier(teacher));
}

function classifier(teacher: TeacherSource) {
  return { outputs: outputCount(teacher), classes: teacher.classes, title: teacher.title };
}

function outputCount({ model }: TeacherSource): number | undefined {
  const width = model.outputs.find(({ name }) => name === LOGITS)?.shape?.[1];
  return typeof width === 'number' ? width : undefined;
}
