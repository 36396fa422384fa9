import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';

/** What a teacher's graph offers to knowledge that is computed from it. */
export interface TeacherGraph {
  /** Its inputs, outputs and inner values, by name. */
  value(name: string): TypedValue;
  /** Whether it has a value of that name. */
  has(name: string): boolean;
  /** The teacher once more, with other values for some of its inputs or inner values, by name. */
  rerun(replaced: ReadonlyMap<string, TypedValue>): (name: string) => TypedValue;
  /** d `of` / d `name`, of the shape of the value `name`; `of` is summed where it is no scalar. */
  gradient(of: TypedValue, name: string): TypedValue;
  /** The same for many values, by one backward pass. */
  gradients(of: TypedValue, names: readonly string[]): TypedValue[];
}

/**
 * Something that is wanted of a teacher besides its classes. It is computed in the teacher's graph, once for each sample,
 * so that no more is kept of a large tensor than a loss looks at.
 */
export interface KnowledgeRequest {
  /** Names it in the store and among the step's inputs (`knowledge/TAP`); tells all that its content depends on. */
  readonly tap: string;
  /** float32 [batch, ...]; sizes but for the batch and the length of a text are known. */
  build(g: GraphBuilder, teacher: TeacherGraph): TypedValue;
}
