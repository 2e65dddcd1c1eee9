import type { Link, Suppliers } from '../board/suppliers.ts';
import { printable } from '../printable.ts';

/** Suppliers of a tree as text: sums, cycles, disabled suppliers, then who needs whom. */
export function formatSuppliers({ links, cycles, disabled }: Suppliers, name: string): string {
  const consumers = new Map<string, Link[]>();
  for (const link of links) consumers.set(link.consumer, [...(consumers.get(link.consumer) ?? []), link]);
  const lines = [
    `${name}: ${links.length} links of ${consumers.size} devices to suppliers, ` +
      `${cycles.length} cycles, ${disabled.length} links to disabled suppliers`,
    ...(cycles.length === 0 ? [] : ['', 'cycles (fw_devlink does not enforce the links in them):']),
    ...cycles.map((cycle) => `  ${cycle.join(', ')}`),
    ...(disabled.length === 0
      ? []
      : ['', 'disabled suppliers (a guess: a driver that insists on one waits for ever):']),
    ...disabled.map(({ consumer, supplier, properties }) => `  ${consumer}: ${supplier} (${properties.join(', ')})`),
    ...(consumers.size === 0 ? [] : ['', 'suppliers:']),
    ...[...consumers].map(
      ([consumer, its]) =>
        `  ${consumer}: ${its.map(({ supplier, properties }) => `${supplier} (${properties.join(', ')})`).join(', ')}`,
    ),
  ];
  return `${lines.map(printable).join('\n')}\n`;
}
