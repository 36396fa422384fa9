import type { Node } from '../../graph.ts';
import type { NodeEmitter } from '../../node-emitter.ts';

/**
 * How the call of an operator is written from a version of the standard operators on: emits the node, or the nodes,
 * that compute what `node` computed in the version before. The last one has the outputs of `node`.
 */
export type Change = (emit: NodeEmitter, node: Node) => void;

/** What changed in one version, by operator. */
export type Changes = Readonly<Record<string, Change>>;
