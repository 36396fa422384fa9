import type { Page } from 'playwright-core';

/**
 * Texts of charts that overprint one another or are cut by their frame, as they stand on the page now. Texts may be turned:
 * their corners are compared, not the upright boxes around them.
 */
export function textFaults(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    type Point = { x: number; y: number };
    interface Placed {
      readonly name: string;
      readonly chart: Element;
      readonly corners: Point[];
    }
    // Boxes of letters have room above and below them that nobody sees.
    const [INSET_X, INSET_Y] = [1, 2.5];
    const placed: Placed[] = [];
    const faults: string[] = [];
    for (const text of document.querySelectorAll<SVGTextElement>('svg text')) {
      const matrix = text.getScreenCTM();
      if (!matrix || !text.textContent?.trim() || !text.checkVisibility()) continue;
      const own = [...text.childNodes].filter((node) => node.nodeName !== 'title');
      const name = own
        .map((node) => node.textContent)
        .join('')
        .slice(0, 40);
      const box = text.getBBox();
      const [insetX, insetY] = [INSET_X / Math.abs(matrix.a || 1), INSET_Y];
      const [left, right] = [box.x + insetX, box.x + box.width - insetX];
      const [top, bottom] = [box.y + insetY, box.y + box.height - insetY];
      const corners = [
        [left, top],
        [right, top],
        [right, bottom],
        [left, bottom],
      ].map(([x, y]) => new DOMPoint(x, y).matrixTransform(matrix));
      let chart: Element = text;
      for (let svg = text.closest('svg'); svg; svg = svg.parentElement?.closest('svg') ?? null) {
        chart = svg;
        if (getComputedStyle(svg).overflow === 'visible') continue;
        const frame = svg.getBoundingClientRect();
        const isOut = corners.some(
          ({ x, y }) =>
            x < frame.left - 1 || x > frame.right + 1 || y < frame.top - 1 || y > frame.bottom + 1,
        );
        if (isOut) faults.push(`cut: ${name}`);
      }
      placed.push({ name, chart: chart.parentElement ?? chart, corners });
    }
    /** Two convex shapes are apart when some edge of one has all of the other on its far side. */
    const isApart = (a: Point[], b: Point[]) =>
      [a, b].some((shape) =>
        shape.some((from, index) => {
          const to = shape[(index + 1) % shape.length]!;
          const [nx, ny] = [to.y - from.y, from.x - to.x];
          const along = (points: Point[]) => points.map(({ x, y }) => x * nx + y * ny);
          const [one, other] = [along(a), along(b)];
          return Math.max(...one) <= Math.min(...other) || Math.max(...other) <= Math.min(...one);
        }),
      );
    placed.forEach((one, index) => {
      for (const other of placed.slice(index + 1)) {
        if (one.chart === other.chart && !isApart(one.corners, other.corners))
          faults.push(`overprint: ${one.name} and ${other.name}`);
      }
    });
    return faults;
  });
}
