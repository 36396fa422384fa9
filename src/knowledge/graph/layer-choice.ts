import type { LayerMap } from '../../onnx/anatomy/layer-map.ts';
import type { KnowledgeGraph } from './knowledge-graph.ts';

/**
 * Which layers of the teacher teach which of the student's, by what they add to its answers.
 *
 * Student layer s of S may be taught by teacher layer t of T for importance(t) * (1 - |(s + 1)/S - (t + 1)/T|): what
 * matters, and less the farther it is from the student's own depth. Of all maps in which deeper layers learn from deeper
 * ones (from the same one only where the teacher has fewer layers) and the last from the last, the one with the largest
 * sum is taken, found by dynamic programming. Of equal importances that is the uniform map where S divides T.
 *
 * The weights are half even and half by importance, with a mean of 1: attributions are estimates of first order, so they
 * tilt what is learnt and silence nothing.
 */
export function layerMapFromGraph(
  { layers }: Pick<KnowledgeGraph, 'layers'>,
  studentLayers: number,
): LayerMap {
  const teacherLayers = layers.length;
  if (studentLayers === 0 || teacherLayers === 0) return [];
  const known = layers.map(({ importance }) => importance);
  // Of a teacher that tells nothing every layer counts the same.
  const importances = known.some((value) => value > 0) ? known : known.map(() => 1);
  const chosen = choose(importances, studentLayers);
  const all = chosen.reduce((sum, layer) => sum + (importances[layer] as number), 0);
  return chosen.map((teacher, student) => ({
    student,
    teacher,
    weight: all > 0 ? (1 + ((importances[teacher] as number) / all) * studentLayers) / 2 : 1,
  }));
}

function choose(importances: readonly number[], students: number): number[] {
  const teachers = importances.length;
  const step = teachers >= students ? 1 : 0;
  const worth = (student: number, teacher: number) =>
    (importances[teacher] as number) * (1 - Math.abs((student + 1) / students - (teacher + 1) / teachers));
  // best[s][t]: the most that layers 0 to s can be worth when s learns from t; from[s][t]: whom s - 1 learns from.
  const best: number[][] = [];
  const from: number[][] = [];
  for (let student = 0; student < students; student++) {
    const row = new Array<number>(teachers).fill(Number.NEGATIVE_INFINITY);
    const origins = new Array<number>(teachers).fill(-1);
    let [most, origin] = [student === 0 ? 0 : Number.NEGATIVE_INFINITY, -1];
    for (let teacher = 0; teacher < teachers; teacher++) {
      const before = student === 0 ? undefined : best[student - 1]?.[teacher - step];
      if (before !== undefined && before > most) [most, origin] = [before, teacher - step];
      row[teacher] = most + worth(student, teacher);
      origins[teacher] = origin;
    }
    best.push(row);
    from.push(origins);
  }
  const chosen = new Array<number>(students);
  let teacher = teachers - 1;
  for (let student = students - 1; student >= 0; student--) {
    chosen[student] = teacher;
    teacher = from[student]?.[teacher] as number;
  }
  return chosen;
}

/** How much each head of each of the teacher's layers counts, with a mean of 1 in a layer; empty where it has none. */
export function headWeights({ layers }: Pick<KnowledgeGraph, 'layers'>): number[][] {
  return layers.map(({ heads }) => {
    const all = heads.reduce((sum, share) => sum + share, 0);
    return heads.map((share) => (all > 0 ? (share / all) * heads.length : 1));
  });
}
