import type { Graph, Shape, TypedValue } from '../graph.ts';
import type { Decomposition } from './decomposition.ts';

/**
 * An If whose condition is known is one of its branches. Exporters ask about shapes, so most are known once shapes
 * are. Of another, both branches are computed and one is taken, where they give tensors of the same shapes.
 */
const choice: Decomposition = (call) => {
  const { g, node, place } = call;
  const condition = call.inputs[0];
  const branch = (name: string): Graph | undefined => {
    const attribute = node.attributes.get(name);
    return attribute?.kind === 'graph' ? attribute.value : undefined;
  };
  const [thenBranch, elseBranch] = [branch('then_branch'), branch('else_branch')];
  if (!condition || !thenBranch || !elseBranch) return undefined;
  const known = g.constantOf(condition);
  if (known) return whole(place.copyGraph(known.data[0] ? thenBranch : elseBranch));
  const yes = whole(place.copyGraph(thenBranch));
  const no = whole(place.copyGraph(elseBranch));
  if (!yes || !no) return undefined;
  const alike = (a: TypedValue | undefined, b: TypedValue | undefined) =>
    a && b && a.type === b.type && sameShape(a.shape, b.shape);
  if (!yes.every((value, i) => alike(value, no[i]))) return undefined;
  const scalar = g.reshape(condition, []);
  return yes.map((value, i) => g.where(scalar, value, no[i]!));
};

/** All outputs of a branch, where their types and shapes are known. */
function whole(values: readonly (TypedValue | undefined)[]): TypedValue[] | undefined {
  return values.every((value) => value !== undefined) ? [...values] : undefined;
}

function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dim, i) => dim === b[i]);
}

export const CONTROL_FLOW: Record<string, Decomposition> = { If: choice };
