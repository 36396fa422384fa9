import { EXIT } from './exit-codes.ts';

/** The parts of a process that interrupts come through. */
export interface InterruptSource {
  on(signal: 'SIGINT' | 'SIGTERM', listener: () => void): unknown;
}

export interface InterruptHandlers {
  /** Tells the person that the run is stopping. */
  announce(message: string): void;
  /** Ends the process. */
  exit(code: number): void;
}

/**
 * A signal that aborts on the first SIGINT or SIGTERM, so that the run ends at its next safe point with everything
 * kept. The second one ends the process at once.
 */
export function abortOnInterrupt(
  source: InterruptSource,
  { announce, exit }: InterruptHandlers,
): AbortController {
  const controller = new AbortController();
  let interrupted = false;
  const onInterrupt = () => {
    if (interrupted) {
      exit(EXIT.interrupted);
      return;
    }
    interrupted = true;
    announce('stopping at the next safe point; press Ctrl+C again to stop at once');
    controller.abort();
  };
  source.on('SIGINT', onInterrupt);
  source.on('SIGTERM', onInterrupt);
  return controller;
}
