import { describe, expect, it } from 'vitest';
import { classifyBytes } from '../../harness/verdict/classify.ts';

const HEAD = [
  '[    0.000000] Booting Linux on physical CPU 0x0000000000 [0x411fd071]',
  '[    0.000000] Linux version 6.12.9 (build@ci) #1 SMP PREEMPT',
];
const INIT = '[    1.500000] Run /init as init process';

const classify = (...lines: string[]) =>
  classifyBytes('log', Buffer.from(`${[...HEAD, ...lines].join('\n')}\n`), { knownIssues: [], today: '2026-01-05' });

/** What each kind of initramfs prints when its root file system does not come, and the device that it names. */
const GIVEN_UP: { readonly [initramfs: string]: readonly [device: string | null, ...lines: string[]] } = {
  'initramfs-tools': [
    'UUID=9c03-abd6',
    'Gave up waiting for root file system device.  Common problems:',
    'ALERT!  UUID=9c03-abd6 does not exist.  Dropping to a shell!',
    '(initramfs)',
  ],
  'cryptsetup-initramfs': [
    'UUID=11-22',
    'cryptsetup: Waiting for encrypted source device UUID=11-22...',
    "  ALERT! encrypted source device UUID=11-22 does not exist, can't unlock cryptroot.",
    'Dropping to a shell.',
  ],
  dracut: [
    '/dev/disk/by-uuid/12-56',
    '[  193.100000] dracut-initqueue[311]: Warning: /dev/disk/by-uuid/12-56 does not exist',
    'Entering emergency mode. Exit the shell to continue.',
    'dracut:/# ',
  ],
  'dracut with systemd': [
    null,
    '[ TIME ] Timed out waiting for device /dev/disk/by-label/root.',
    '[DEPEND] Dependency failed for /sysroot.',
    'You are in emergency mode. After logging in, type "journalctl -xb" to view',
  ],
  mkinitcpio: [
    'UUID=aa-bb',
    'Waiting 10 seconds for device /dev/disk/by-uuid/aa-bb ...',
    "ERROR: device 'UUID=aa-bb' not found. Skipping fsck.",
    'You are now being dropped into an emergency shell.',
  ],
  Alpine: [
    null,
    'Mounting boot media: failed. ',
    "initramfs emergency recovery shell launched. Type 'exit' to continue boot",
  ],
  NixOS: [
    '/dev/disk/by-label/nixos',
    'mount: mounting /dev/disk/by-label/nixos on /mnt-root/ failed: No such file or directory',
    'An error occurred in stage 1 of the boot process, which must mount the',
  ],
  Yocto: ['PARTUUID=08-02', 'Waiting for root device PARTUUID=08-02...', 'ERROR: Unable to mount root file system'],
  Buildroot: ['/dev/mmcblk1p2', 'mount: mounting /dev/mmcblk1p2 on /mnt failed: No such file or directory'],
  postmarketOS: [null, '[   15.100000] [pmOS-rd]: ERROR: boot partition not found!', 'Looping forever'],
};

describe('a root file system that does not come', () => {
  it.each(Object.entries(GIVEN_UP))('is told: %s', (_initramfs, [device, ...lines]) => {
    const found = classify(INIT, ...lines);
    expect(found).toMatchObject({ verdict: 'hang', root: { name: device, missing: true }, crashes: [] });
    expect(found.reason).toContain('the initramfs gave up waiting for its root device');
  });

  it('is told of the kernel itself', () => {
    const found = classify(
      '[    4.200000] VFS: Cannot open root device "ubi0:rootfs" or unknown-block(0,0): error -19',
    );
    expect(found).toMatchObject({ verdict: 'hang', reason: 'the kernel cannot open its root device ubi0:rootfs' });
  });

  it('is awaited where the log ends with the waiting, before and in the initramfs', () => {
    for (const before of [[], [INIT]]) {
      const found = classify(...before, 'Waiting for root device PARTUUID=08-02...');
      expect(found.verdict).toBe('hang');
      expect(found.reason).toContain('the boot waits for its root device PARTUUID=08-02');
    }
  });

  it('is awaited where the log ends with the waiting of the initramfs, and has come when that goes on', () => {
    const waits = 'Begin: Waiting for root file system ... Begin: Running /scripts/local-block ... done.';
    const known = '[    1.100000] Waiting for root device /dev/mmcblk0p2...';
    expect(classify(INIT, waits)).toMatchObject({ verdict: 'hang', root: { name: null, missing: false } });
    expect(classify(known, INIT, 'Begin: Running /scripts/local-block ... done.').root?.name).toBe('/dev/mmcblk0p2');
    expect(classify(known, waits, '[    2.100000] gadget').root?.name).toBe('/dev/mmcblk0p2');
    expect(classify(known, waits, 'Begin: Running /scripts/local-bottom ... done.').root).toBeNull();
    expect(classify(INIT, waits, 'board login: ').root).toBeNull();
  });

  it('has come where the boot goes on', () => {
    const login = ['[    9.000000] systemd[1]: Reached target multi-user.target.', 'board login: '];
    expect(classify('[    1.100000] Waiting for root device /dev/mmcblk0p2...', INIT, ...login).verdict).toBe('bound');
    expect(classify(INIT, 'Waiting for root device PARTUUID=08-02...', ...login).verdict).toBe('bound');
  });

  it.each([
    ['its partition', ' mmcblk0: p1 p2 < p5 >'],
    ['its file system', 'EXT4-fs (mmcblk0p2): mounted filesystem with ordered data mode. Opts: (null)'],
    ['the kernel, which mounts it', 'VFS: Mounted root (ext4 filesystem) readonly on device 179:2.'],
  ])('has come with %s, where the log ends soon', (_what, text) => {
    const found = classify('[    1.100000] Waiting for root device /dev/mmcblk0p2...', `[    1.200000] ${text}`);
    expect(found.root).toBeNull();
  });

  it('has not come with another disk', () => {
    for (const text of [' mmcblk1: p1 p2', ' mmcblk0: p1', 'EXT4-fs (sda2): mounted filesystem without journal.'])
      expect(
        classify('[    1.100000] Waiting for root device /dev/mmcblk0p2...', `[    1.200000] ${text}`).root,
      ).toMatchObject({ name: '/dev/mmcblk0p2', missing: false });
  });

  it('has come after it was given up only where it is mounted', () => {
    const given = [INIT, 'ALERT!  /dev/sda2 does not exist.  Dropping to a shell!'];
    expect(classify(...given, '[   40.100000]  sda: sda1 sda2').root).toMatchObject({ missing: true });
    for (const text of [
      'EXT4-fs (sda2): mounted filesystem r/w',
      'systemd[1]: Finished Remount Root and Kernel File Systems.',
    ])
      expect(classify(...given, `[   40.100000] ${text}`).root).toBeNull();
  });
});
