/** One layer of the student and the layer of the teacher that teaches it. */
export interface LayerPair {
  /** Positions in `ModelAnatomy.layers`. */
  readonly student: number;
  readonly teacher: number;
  /** How much the pair counts; the weights of a map have a mean of 1. */
  readonly weight: number;
}

/** Which layer of the teacher teaches which of the student. */
export type LayerMap = readonly LayerPair[];

/** Every layer of the student, taught by the teacher's at the same part of its depth; the last by the last. */
export function uniformLayers(student: number, teacher: number): LayerMap {
  return Array.from({ length: student }, (_, layer) => ({
    student: layer,
    teacher: Math.max(0, Math.round(((layer + 1) * teacher) / student) - 1),
    weight: 1,
  }));
}

/** The student's last layer, taught by the teacher's last. */
export function lastLayers(student: number, teacher: number): LayerMap {
  return [{ student: student - 1, teacher: teacher - 1, weight: 1 }];
}
