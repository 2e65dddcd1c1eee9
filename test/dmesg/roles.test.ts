import { describe, expect, it } from 'vitest';
import { eventsOf } from './mutate.ts';

const CALLER = 'wobble_release';

/** Whom a fault in `name`, called by a driver's function, is blamed on. */
function blamed(name: string): string | null {
  const lines = [
    'Unable to handle kernel paging request at virtual address dead000000000122',
    'Internal error: Oops: 0000000096000004 [#1] PREEMPT SMP',
    'CPU: 2 UID: 0 PID: 61 Comm: wobbled Not tainted 6.12.0 #1',
    `pc : ${name}+0x18/0x60`,
    `lr : ${CALLER}+0x34/0x80`,
    'Call trace:',
    ` ${name}+0x18/0x60 (P)`,
    ` ${CALLER}+0x34/0x80`,
    ' __fput+0xd4/0x300',
    '---[ end trace 0000000000000000 ]---',
  ];
  const log = lines.map((line, n) => `[    1.${String(n).padStart(6, '0')}] ${line}\n`).join('');
  for (const event of eventsOf(Buffer.from(log))) if (event.event === 'crash') return event.function;
  return null;
}

describe('a fault in a helper of the kernel is blamed on its caller', () => {
  it.each([
    // Allocators: mm/slub.c, mm/vmalloc.c, lib/genalloc.c.
    ...['ksize', 'deactivate_slab', 'vm_unmap_ram', 'remap_vmalloc_range_partial', 'dma_pool_free', 'of_gen_pool_get'],
    // Packets and what hands them on: net/core/skbuff.c, net/core/dev.c.
    ...['skb_store_bits', 'skb_tstamp_tx', '__netif_napi_del', 'napi_disable', 'sock_queue_err_skb', 'eth_header'],
    // The driver core, sysfs, kernfs, debugfs: drivers/base/, fs/.
    ...['device_match_name', '__platform_driver_register', 'class_interface_unregister', 'kernfs_notify'],
    ...['debugfs_lookup', 'wakeup_source_unregister', 'software_node_unregister'],
    // Waiting: kernel/workqueue.c, kernel/notifier.c, kernel/irq/manage.c.
    ...['disable_work_sync', 'work_busy', 'blocking_notifier_chain_unregister', 'irq_wake_thread'],
    ...['unregister_irq_proc', 'pci_free_irq_vectors', 'pci_disable_device', 'of_reset_control_array_get'],
    // Formatting, sums, containers: lib/, fs/seq_file.c.
    ...['seq_path', 'put_dec_trunc8', 'string_escape_mem', 'lockref_put_or_lock', 'sg_pcopy_from_buffer'],
    // drivers/usb/core/.
    ...['usb_string', 'usb_autopm_put_interface', 'usb_hcd_unmap_urb_for_dma', 'usb_find_common_endpoints'],
    // Caches that are cleaned for DMA: arch/arm/mm, arch/mips/mm.
    ...['b15_dma_inv_range', 'r4k_dma_cache_wback_inv', 'dma_cache_maint_page'],
    // kernel/locking/.
    ...['downgrade_write', 'percpu_free_rwsem'],
  ])('%s', (name) => {
    expect(blamed(name)).toBe(CALLER);
  });

  it.each([
    ...['wobble_string', 'seq_wobble_show', 'usb_wobble_probe', 'skb_wobble_rx', 'disable_wobble'],
    ...['rb_wobble_fill', 'sysfs_wobble', 'kobj_wobble', 'exc_wobble', 'el1_wobble'],
  ])('but %s, of a name that only resembles one, is to blame itself', (name) => {
    expect(blamed(name)).toBe(name);
  });
});
