import { LimbeckError } from '../errors.ts';
import { isFloat } from '../onnx/data-type.ts';
import type { Node, TypedValue, Value } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { formatShape } from '../onnx/shape-inference/rule.ts';
import { operatorKey } from '../onnx/shape-inference/rules.ts';
import { subgraphsOf, usedValues } from '../onnx/used-values.ts';
import { expandLike, sameShape, thin, withShape } from './broadcast.ts';
import { gradientPath } from './path.ts';
import { type GradientRule, RuleFailure, UnsupportedGradient } from './rule.ts';
import { gradientRule } from './rules/registry.ts';

export interface GradientOptions {
  /**
   * d (something) / d loss, of the loss's shape: the result is then the product of this vector with the Jacobian, and
   * the loss need not be a scalar. 1 by default.
   */
  seed?: TypedValue;
}

/**
 * Emits d loss / d value for every value of `wrt` into `g` (reverse mode), each with its value's shape; null where the
 * loss does not depend on the value. The values may be inputs, initializers, inner values and the loss itself.
 *
 * What is emitted are ordinary operators, so calling it again on a gradient gives gradients of gradients.
 * Integers and `stopGradient` end a path.
 *
 * @throws LimbeckError `train.loss-not-scalar`; `train.no-gradient`, which lists every operator on the way that has
 *   no gradient; `train.symbolic-shape` where a rule needs a size that is not known.
 * @example
 * const loss = g.reduceMean(g.square(g.sub(prediction, target)), { keepDims: false });
 * const [dw, db] = gradients(g, loss, [w, b]);
 */
export function gradients(
  g: GraphBuilder,
  loss: TypedValue,
  wrt: readonly TypedValue[],
  options: GradientOptions = {},
): (TypedValue | null)[] {
  const nodes = [...g.nodes];
  return g.scope('gradient', () => {
    const seed = checkedSeed(g, loss, options.seed);
    const path = gradientPath(nodes, loss, wrt);
    const disagreements = path.nodes.flatMap((node) => {
      const reason = g.disagreementOf(node);
      return reason === undefined ? [] : [describe(node, reason)];
    });
    if (disagreements.length > 0) throw sizesDisagree(disagreements);
    const missing = path.nodes.flatMap((node) => problemOf(g, node));
    if (missing.length > 0) throw noGradient(missing);

    const sums = new GradientSums(g);
    sums.add(loss, seed);
    const unsupported: string[] = [];
    for (const node of [...path.nodes].reverse()) {
      const outputGradients = node.outputs.map((value) => (value ? sums.of(value as TypedValue) : null));
      if (outputGradients.every((gradient) => gradient === null)) continue;
      try {
        const rule = gradientRule(node) as GradientRule;
        const operands = operandsOf(node);
        const inputGradients = rule({
          g,
          node,
          inputs: operands as readonly (TypedValue | null)[],
          outputs: node.outputs as readonly (TypedValue | null)[],
          outputGradients,
          needs: (index) => path.reached.has(operands[index] as Value),
          gradients: (output, values, outputGradient) =>
            gradients(g, output, values, { seed: outputGradient }),
          gradientsIn: gradients,
        });
        operands.forEach((value, index) => {
          const gradient = inputGradients[index];
          if (value && gradient && path.reached.has(value)) {
            checkShape(node, value as TypedValue, gradient);
            // What inference could not tell of a gradient's shape, its value knows.
            if (!outputGradients.includes(gradient)) withShape(gradient, (value as TypedValue).shape);
            sums.add(value as TypedValue, gradient);
          }
        });
      } catch (error) {
        if (error instanceof LimbeckError || error instanceof RuleFailure) throw error;
        if (!(error instanceof UnsupportedGradient)) throw new RuleFailure(describe(node), error as Error);
        unsupported.push(describe(node, error.message));
      }
    }
    if (unsupported.length > 0) throw noGradient(unsupported);
    return wrt.map((value) => (isFloat(value.type) ? sums.of(value) : null));
  });
}

/** What a node reads: its inputs, and after them what its subgraphs take from around them. */
function operandsOf(node: Node): readonly (Value | null)[] {
  if (subgraphsOf(node).length === 0) return node.inputs;
  return [...node.inputs, ...[...usedValues(node)].filter((value) => !node.inputs.includes(value))];
}

/** The gradients that have arrived at each value; summed when they are asked for, once all have arrived. */
class GradientSums {
  readonly #g: GraphBuilder;
  readonly #parts = new Map<Value, TypedValue[]>();

  constructor(g: GraphBuilder) {
    this.#g = g;
  }

  add(value: TypedValue, gradient: TypedValue): void {
    const parts = this.#parts.get(value);
    if (parts) parts.push(gradient);
    else this.#parts.set(value, [gradient]);
  }

  of(value: TypedValue): TypedValue | null {
    const parts = this.#parts.get(value);
    if (!parts) return null;
    if (parts.length === 1) return parts[0];
    const sources = parts.map(thin);
    const sum = sources.length === 2 ? this.#g.add(sources[0], sources[1]) : this.#g.op('Sum', sources);
    const whole = expandLike(this.#g, sum, value);
    this.#parts.set(value, [whole]);
    return whole;
  }
}

function checkedSeed(g: GraphBuilder, loss: TypedValue, seed: TypedValue | undefined): TypedValue {
  if (!isFloat(loss.type)) {
    throw new LimbeckError('train.loss-not-scalar', `the loss '${loss.name}' is ${loss.type}, not a float`, {
      where: `value '${loss.name}'`,
      remedy: 'Differentiate a float value.',
    });
  }
  if (seed) {
    if (!sameShape(seed.shape, loss.shape) || seed.type !== loss.type) {
      throw new Error(
        `the seed is ${seed.type}${formatShape(seed.shape)}, the loss ${loss.type}${formatShape(loss.shape)}`,
      );
    }
    return seed;
  }
  if (!loss.shape.every((dim) => dim === 1)) {
    throw new LimbeckError(
      'train.loss-not-scalar',
      `the loss '${loss.name}' has shape ${formatShape(loss.shape)}; only a scalar can be differentiated`,
      { where: `value '${loss.name}'`, remedy: 'Reduce it by a sum or a mean over all axes.' },
    );
  }
  return expandLike(g, g.scalar(1, loss.type), loss);
}

/** A rule whose gradient has another shape or type than its input is wrong, whatever it was given. */
function checkShape(node: Node, value: TypedValue, gradient: TypedValue): void {
  const fits = (dim: number | string, i: number) =>
    dim === gradient.shape[i] || typeof dim === 'string' || typeof gradient.shape[i] === 'string';
  // The gradient of a quantised value is that of the number that it stands for.
  const typed = value.type === gradient.type || !isFloat(value.type);
  if (value.shape.length !== gradient.shape.length || !value.shape.every(fits) || !typed) {
    throw new Error(
      `the gradient rule of ${node.opType} gave ${gradient.type}${formatShape(gradient.shape)} for ` +
        `'${value.name}', which is ${value.type}${formatShape(value.shape)}`,
    );
  }
}

/** Why a node cannot be differentiated, whatever its form; nothing where it can. */
function problemOf(g: GraphBuilder, node: Node): string[] {
  if (!gradientRule(node)) return [describe(node)];
  const unknown = [...node.inputs, ...node.outputs].find((value) => value && !(value.type && value.shape));
  return unknown
    ? [describe(node, g.objectionTo(node) ?? `the shape of '${unknown.name}' is not known`)]
    : [];
}

function describe(node: Node, reason?: string): string {
  return `${operatorKey(node.domain, node.opType)} '${node.name}'${reason ? ` (${reason})` : ''}`;
}

function sizesDisagree(operators: readonly string[]): LimbeckError {
  return new LimbeckError('model.sizes', `sizes do not go together: ${operators.join(', ')}`, {
    where: operators[0] as string,
    remedy: 'Correct the shapes of its inputs or of its weights, or export the model again.',
  });
}

function noGradient(operators: readonly string[]): LimbeckError {
  return new LimbeckError(
    'train.no-gradient',
    `${operators.length} operator${operators.length === 1 ? '' : 's'} between the loss and the trained values ` +
      `cannot be differentiated: ${operators.join(', ')}`,
    {
      where: operators.join(', '),
      remedy:
        'Freeze what lies before them, replace them, or add a rule (docs/adding-an-operator-gradient.md).',
    },
  );
}
