import { elementCount, float32, type Tensor } from '../onnx/tensor.ts';
import type { TensorSpec } from './step-graph.ts';

/**
 * What a tensor that goes from step to step is: a `parameter` of the student is trained and ships; an `auxiliary` parameter
 * came with a term of the loss and is trained, too, but does not ship; a `statistic` of a batch normalisation belongs to the
 * student, and nothing trains it; `state` is the optimizer's.
 */
export type CarriedRole = 'parameter' | 'auxiliary' | 'statistic' | 'state';

/** A tensor that a step reads under its name and writes under its name + `/next`. */
export interface CarriedTensor {
  readonly spec: TensorSpec;
  readonly role: CarriedRole;
  /** Before the first step; zeros when absent. */
  readonly initial?: Tensor;
}

/** The specs of what is carried in some roles, in their order; all when none is named. */
export function carriedSpecs(
  carried: readonly CarriedTensor[],
  ...roles: readonly CarriedRole[]
): TensorSpec[] {
  return carried.filter(({ role }) => roles.length === 0 || roles.includes(role)).map(({ spec }) => spec);
}

/** What a first step is fed, by name: for a step that is run by hand. */
export function firstContents(carried: readonly CarriedTensor[]): Record<string, Tensor> {
  return Object.fromEntries(
    carried.map(({ spec: { name, dims }, initial }) => [
      name,
      initial ?? float32(new Float32Array(elementCount(dims)), [...dims]),
    ]),
  );
}
