import pc from 'picocolors';
import type { HostReport } from '../kernel/host.ts';

/** A line for each tool and resource, and the command that installs what is missing. */
export function formatHost({ tools, resources }: HostReport): string {
  const rows = [
    ...tools.map((tool) => ({
      name: tool.name,
      value: tool.state === 'missing' ? 'missing' : (tool.version ?? 'present'),
      ok: tool.state === 'ok',
      note:
        tool.state === 'ok'
          ? tool.why
          : `${tool.why}; package ${tool.package}${tool.minimum === null ? '' : `, ${tool.minimum} or later`}`,
    })),
    ...resources.map(({ name, value, ok, hint }) => ({ name, value, ok, note: hint ?? '' })),
  ];
  const width = (of: (row: (typeof rows)[number]) => string) => Math.max(...rows.map((row) => of(row).length));
  const nameWidth = width((row) => row.name);
  const valueWidth = width((row) => row.value);
  const lines = rows.map(({ name, value, ok, note }) => {
    const mark = ok ? pc.green('ok  ') : pc.red('FAIL');
    return `${mark} ${name.padEnd(nameWidth)}  ${value.padEnd(valueWidth)}  ${pc.dim(note)}`.trimEnd();
  });
  const packages = [...new Set(tools.filter(({ state }) => state === 'missing').map((tool) => tool.package))].sort();
  const hint =
    packages.length === 0 ? '' : `\nrun: sudo apt-get install -y --no-install-recommends ${packages.join(' ')}\n`;
  return `${lines.join('\n')}\n${hint}`;
}
