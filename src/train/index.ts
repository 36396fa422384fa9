/**
 * Training steps that are ONNX models, and the loop over them (`limbeck/train`). Runs in Node and in a browser.
 *
 * @example
 * import { adamw, compileModel } from 'limbeck/train';
 */

export type { Engine, Provider, Session, SessionOptions } from '../engine/engine.ts';
export { createWebEngine, type WebEngineOptions } from '../engine/web.ts';
export type { ObjectiveTerm } from '../objectives/objective.ts';
export type { Student } from '../students/student.ts';
export { adamw } from './adamw.ts';
export { type CompiledModel, type CompileModelOptions, compileModel } from './compile-model.ts';
export { type CompiledStep, compileForward, compileStep, NEXT, type StepOptions } from './compile-step.ts';
export { lion } from './lion.ts';
export type { Optimizer } from './optimizer.ts';
export { createOptimizer, type OptimizerInput, type OptimizerOptions } from './optimizers.ts';
export { decodeSafetensors, encodeSafetensors, type SafetensorsContent } from './safetensors.ts';
export { sgd } from './sgd.ts';
export { type TrainingOptions, type TrainingResult, trainStudent } from './training-loop.ts';
