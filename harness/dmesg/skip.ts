import type { CrashKind } from './events.ts';

/**
 * Functions that are not to blame for a crash they appear in: those that print the report, and helpers that only do
 * what their caller told them to. A report is titled by the first function that is in none of the lists which apply to
 * its kind. Names are from the kernels 3.x to 6.19; a pattern matches whole names, compiler suffixes and leading underscores removed.
 */

/** Printing, trapping and unwinding: between the mistake and the text in the log. Applies to every kind. */
const REPORTING = [
  // lib/dump_stack.c, arch/*/kernel/{stacktrace,traps,dumpstack}.c
  'dump_stack(lvl|print_info)?|dump_backtrace(log_lvl|entry|stm)?|show_stack(log_lvl|regs)?|show_trace(log_lvl)?|show_regs(print_info)?|show_regs',
  'unwind_backtrace|walk_stackframe|save_stack(trace(tsk)?)?|arch_stack_walk(reliable)?|stack_trace_(save|consume)\\w*|return_address|kunwind_\\w+|unwind_next_frame|unwind_frame',
  // kernel/panic.c, lib/bug.c
  'v?panic|nmi_panic(self_stop)?|warn(printk)?|warn_slowpath_\\w+|report_bug(entry)?|report_bug|bug_handler|bug_brk_handler|handle_bug|fixup_bug|is_valid_bugaddr|do_unexpected_trap|check_panic_on_warn|oops_(begin|end|enter|exit)|invalid_op|warn_flushing\\w*|WARN_CONDITION\\w*',
  // arm64 arch/arm64/kernel/{traps,entry-common,debug-monitors}.c, mm/fault.c
  'die(kernel_fault)?|die(kernel_fault|body)?|arm64_notify_die|arm64_serror_panic|do_kernel_fault|do_(mem_abort|translation_fault|page_fault|bad_area|alignment_fault|tag_check_fault|tag_recovery|sp_pc_abort|sea|serror|undefinstr|el1_undef|el0_undef|bti|el1_bti|el1_fpac|debug_exception|brk64?|el1_brk64?|PrefetchAbort|DataAbort|DataAbort_\\w+|cp15instr|kernel_fault|uncached_fault)',
  'brk_handler|call_break_hook|call_el1_break_hook|early_brk64|el[01]t?_\\w+|el[01][ht]?_64_\\w+|el[01][ht]?_(sync|irq|fiq|error|dbg|da|ia|pc|undef|inv|interrupt|abort|brk64|svc|bti)\\w*|ret_to_user|ret_fast_syscall|el1_\\w+|ret_to_kernel|bad_mode|panic_bad_mode|bad_stack|handle_bad_stack|panic_(lockup|stack_overflow)|pabt_svc|dabt_svc|und_svc|und_(usr|fault)\\w*|irq_svc|dabt_usr|v[67]_early_abort|do_translation_fault|asm_\\w+|bug_\\w*',
  // x86 arch/x86/{entry,kernel/traps.c,mm/fault.c}
  'exc_\\w+|do_(trap\\w*|error_trap|invalid_op|general_protection|double_fault|user_addr_fault|kern_addr_fault|divide_error|int3\\w*|async_page_fault|device_not_available|stack_segment|nmi|machine_check)|do_page_fault|trace_do_page_fault|error_(entry|return|exit|code|sti|swapgs)|no_context|bad_area(nosemaphore|access_error)?|page_fault(oops)?|async_page_fault|double_fault|general_protection|divide_error|invalid_op(code)?|stack_segment|kernelmode_fixup_or_oops|nmi|end_repeat_nmi|nmi_\\w+|default_do_nmi|restore_all|retint_\\w+|ret_from_exception|die_addr|common_exception|handle_exception(_\\w+)?|trace_hardirqs_(on|off)\\w*|ubsan_\\w+|ubsan_\\w+|bad_(get|put)_user\\w*',
  // riscv, powerpc, mips, s390, loongarch
  'do_trap_(break|insn_\\w+|unknown|load_\\w+|store_\\w+|ecall_\\w+|error)|die_kernel_fault|handle_page_fault|program_check_(exception|common\\w*)|data_access_common\\w*|do_bad_\\w+|tlb_do_page_fault_\\w+|do_bp|handle_bp_int|(pgm|io|ext)_check_handler|do_pgm_check',
  // sanitizers: mm/kasan, mm/kfence, mm/kmsan, kernel/kcsan, lib/ubsan.c
  'k?asan_\\w+|kasan\\w*|hwasan_\\w+|check_memory_region(inline)?|memory_is_(poisoned|nonzero)\\w*|bytes_is_nonzero|print_(report|address_description|error_description|memory_metadata|shadow_for_address|unlock_imbalance_bug|lock_\\w+|usage_bug\\w*|deadlock_bug|circular_bug\\w*|bad_irq_dependency|irq_inversion_bug|freed_lock_bug|held_locks_bug|stack_trace|trailer|bad_pte)|describe_(object\\w*|address\\w*)|end_report|start_report|addr_has_metadata|kfence_report\\w*|kfence_(report_error|handle_page_fault|print_\\w+)|kfence_protect\\w*|kfence_unprotect|check_canary\\w*|kmsan_\\w+|msan_\\w+|tsan_\\w+|kcsan_\\w+|kcsan_\\w+|check_access|csan_\\w+|sanitizer_\\w+|ubsan_\\w+|handle_overflow|val_to_string|fortify_\\w+|fortify_panic|stack_chk_fail\\w*|read_word_at_a_time|read_once_size\\w*|write_once_size\\w*|read_once_word_nocheck',
  // lockdep and the like
  'lockdep_\\w+|lock_(acquire|release|acquired|contended|is_held\\w*|class\\w*|set_class|commit_\\w+|set_\\w+|pin_\\w+|downgrade)|lock_acquire\\w*|lock_acquire|lock_release|lock_set_\\w+|reacquire_held_locks|find_lock_\\w+|register_lock_class|assign_lock_key|(add|check|validate|valid)_?(lock|chain|prev\\w*|deadlock|noncircular|irq_usage|usage\\w*|wait_context|unlock\\w*|state)(_\\w+)?|mark_(lock|held_locks|irqflags|usage)\\w*|mark_lock\\w*|debug_check_no_locks_(freed|held)|match_held_lock|hlock_class|look_up_lock_class|save_trace|check_flags',
  // kernel/sched: the check, not the caller that must not sleep
  'might_(sleep|resched|fault)\\w*|schedule_bug|cant_(sleep|migrate)|check_preemption_disabled|debug_smp_processor_id|this_cpu_preempt_check|preempt_(schedule\\w*|count_\\w+)|rcu_(note_context_switch|read_unlock_special)\\w*|cond_resched|cond_resched',
  // printk
  'v?printk(_\\w+)?|vprintk_\\w+|console_(unlock|lock|flush_\\w+|trylock|emit_\\w+)|pr_\\w+|(__|_)?dev_(printk\\w*|vprintk_emit|emerg|alert|crit|err|warn|notice|info)|dev_printk_emit|dev_vprintk_emit|v?sn?printf|v?scnprintf|format_decode|pointer|string(nocheck|error_valid)?|k?v?asprintf|kvasprintf_const|symbol_string|vsnprintf|number',
];

/** Copying, comparing and clearing memory: whoever passed the pointer is to blame. */
const MEMORY_HELPERS = [
  '(pi_)?mem(cpy|move|set|cmp|chr|scan|set16|set32|set64|chr_inv)(_\\w+)?',
  '(pi_)?str(n?cpy|n?cmp|n?len|n?chr|r?chr|n?casecmp|n?cat|lcpy|lcat|scpy|scpy_pad|sep|spn|pbrk|n?str|n?dup|has_\\w+|sized_\\w+|im|chrnul)(_\\w+)?',
  '(arch_|raw_|asm_|arm_)?(copy|clear)_(to_|from_|in_)?user\\w*|copy_user_\\w+|rep_(movs|stos)_alternative|rep_movs|clear_user\\w*|(get|put)_user\\w*|copy_page|clear_page(_\\w+)?|copy_highpage|clear_huge_page|copy_user\\w*|copy_user_enhanced_fast_string|copy_user_generic_\\w+|()copy_(to|from)_kernel_nofault\\w*|probe_kernel_\\w+|csum_partial\\w*',
  'raw_(read|write)[bwlq]_?\\w*|(read|write)s?[bwlq](relaxed)?|ioread(8|16|32|64)\\w*|iowrite(8|16|32|64)\\w*|raw_(read|write)s[bwl]',
];

/** Bit operations, atomics and reference counts, where they are not inlined. */
const ATOMIC_HELPERS = [
  '(test_and_)?(set|clear|change)_bit\\w*|test_bit|find_(next|first|last)_\\w*bit\\w*|bitmap_\\w+|bitmap_\\w+|ll_sc_\\w+|lse_\\w+|arch_atomic\\w+|(raw_|arch_)?atomic(64|long)?_\\w+|cmpxchg\\w*|xchg\\w*|arch_(test|set|clear)_\\w+|instrument_\\w+',
  'refcount_(add|sub|inc|dec|set|read|warn|error)\\w*|refcount_\\w+|ex_handler_refcount|kref_(get|put|init|read|sub)\\w*',
  'indirect_thunk\\w*|x86_(indirect|return)_\\w+|srso_\\w+|retbleed_\\w+|ftrace_(regs_|graph_)?call(er)?|mcount\\w*|fentry__',
];

/** Locks: whoever passed a bad lock, or waited for one, is named instead. */
const LOCK_HELPERS = [
  '(do_|arch_)?(raw_)?(spin|read|write)_(un|try)?lock\\w*|(native_|pv_|kvm_)?queued_(spin|read|write)_\\w+|pv_queued_\\w+|(native_)?queued_\\w+lock\\w*|do_raw_\\w+|spin_(dump|bug)|rwlock_bug|debug_spin_\\w+|arch_spin_\\w+|ticket_\\w*lock\\w*|(osq|mcs)_\\w*lock\\w*|(do_)?qspin\\w+|bit_spin_\\w+|kvm_wait|resilient_\\w+',
  '(ww_)?mutex_(lock|unlock|trylock|remove_waiter|optimistic_spin|spin_on_owner|add_waiter|can_spin_on_owner|slowlock|fastpath_\\w+)\\w*|ww_mutex_\\w+|rt_mutex_\\w+|rt_mutex_\\w+|rt_(spin|read|write)_\\w+|rt_\\w+|debug_mutex_\\w+|rtlock_\\w+|atomic_dec_and_mutex_lock|refcount_dec_and_\\w*lock\\w*',
  '(percpu_)?(down|up)((read|write|interruptible|killable|timeout|trylock|common|read_\\w+|write_\\w+|nested|\\w+))?|rwsem_\\w+|call_rwsem_\\w+|percpu_(down|up|rwsem)_\\w+|down_\\w+|up_\\w+',
  'wake_up\\w*|try_to_wake_up|default_wake_function|autoremove_wake_function|swake_up\\w*|complete(all)?|complete_with_flags|prepare_to_(wait|swait)\\w*|finish_s?wait|add_wait_queue\\w*|remove_wait_queue|init_wait\\w*',
  'local_(lock|bh)_\\w+|local_bh_(enable|disable)\\w*|seqcount_\\w+|seqprop_\\w+',
];

const LIST_HELPERS = [
  'list_(add|del|replace|move|splice|cut|swap|bulk_move|empty|rotate)\\w*|hlist_\\w+|list_(add|del_entry)_valid\\w*|list_del_entry\\w*|plist_\\w+|klist_\\w+|llist_\\w+',
];

/** Allocators: a leak, a bad free, a warning about the size or the context of an allocation belong to the caller. */
const ALLOCATORS = [
  '(kv?|vz?|kmem_|dma_|sg_|devm_|pcpu_|percpu_)?(m|z|c|re)?alloc\\w*|k[mvcz]?z?[amrc]*alloc\\w*|kv?(m|z|c|re)alloc\\w*|kvrealloc\\w*|v[mz]alloc\\w*|k?v?z?free(_\\w+)?|kfree\\w*|v(free|unmap)\\w*|kmem_cache_\\w+|kmem_cache_\\w+|do_kmalloc\\w*|slab_\\w+|slub_\\w+|new_slab\\w*|allocate_slab|slab_alloc|slab_\\w+|free_slab|discard_slab|setup_object\\w*|check_(slab|object|bytes_and_report|pad)\\w*|object_err|slab_(err|bug|fix|pad_check)|free_debug_processing|alloc_debug_processing|free_to_partial_list|on_freelist|cache_(alloc|free|grow)\\w*|cache_free|free_slab|do_slab_free|do_kmalloc_node|create_object|create_object|kmemleak_\\w+|mempool_\\w+',
  'alloc_(pages?|frozen_pages?|percpu|skb)\\w*|alloc_pages\\w*|alloc_page\\w*|get_free_pages?\\w*|(free|get)_(pages?|zeroed_page)\\w*|free_(pages?|unref_page|frozen_pages|the_page|one_page|hot_cold_page)\\w*|free_pcppages_bulk|free_unref_\\w+|free_pages_(prepare|and_\\w+)|get_page_from_freelist|prep_new_page|post_alloc_hook|warn_alloc\\w*|folio_alloc\\w*|alloc_slab_page|page_frag_\\w+|page_frag_\\w+|alloc_large_\\w*|kmalloc_large_node|kmalloc_(large|order|slab|trace|reserve)\\w*|bad_page|check_(free|new)_page\\w*|free_page_is_bad\\w*|page_(ref|expected)_\\w+|dump_page|rmqueue\\w*|memdup_\\w+|k(str|mem)n?dup\\w*|kstrdup\\w*|vmemdup_\\w+|qlist_\\w+|qlink_\\w+|vm_area_(dup|alloc|free)',
];

/** Debug checks of objects and their users: timers, work items, kobjects. */
const OBJECT_DEBUG = [
  'debug_(print_object|object_\\w+|check_no_obj_freed|timer_\\w+|work_\\w+|rcu_\\w+|hrtimer_\\w+|percpu_\\w+|objects_\\w+|deactivate|activate|assert_init)|debug_(check_no_obj_freed|object_init)|(timer|work|hrtimer|rcuhead)_(is_static_object|fixup_\\w+)',
];
const OBJECT_USERS = [
  '(timer|hrtimer|work|percpu_counter|rcu_head|init_timer|mod_timer|del_timer|add_timer)(_\\w+)?|(mod|del|add|init|try_to_del)_timer\\w*|(queue|init|cancel|flush)_(delayed_)?work\\w*|call_rcu\\w*|destroy_timer_\\w+|kobject_\\w+|kobject_\\w+',
];
const KOBJECT = ['kobject_\\w+|kset_\\w+|refcount_\\w+|kref_\\w+'];
const PROC_REGISTRATION = ['proc_(register|create|mkdir|symlink|net)\\w*|proc_\\w+'];
const USERCOPY = ['usercopy_\\w+|check_(object_size|heap_object|stack_object|page_span)\\w*|check_object_size'];

/** Waiting: between what waits and the idle CPU. */
const WAITING = [
  'switch_to(asm)?|switch_to|context_switch|schedule\\w*|io_schedule\\w*|schedule_\\w+|preempt_schedule\\w*|freezable_schedule\\w*',
  'wait_(for|on|event|event_\\w+|woken|rcu_gp)\\w*|wait_for_(common|completion)\\w*|do_wait_(for_common|intr\\w*)|bit_wait\\w*|wait_on_\\w+|out_of_line_wait_\\w+|wait_rcu_gp|synchronize_s?rcu\\w*|synchronize_(sched|net|irq|rcu_bh)\\w*|rcu_barrier\\w*|flush_work(queue)?\\w*|flush_(delayed_work|scheduled_work|kthread_\\w+)|cancel_(delayed_)?work\\w*|drain_workqueue|kthread_(stop|park|flush_\\w+|parkme)|percpu_rwsem_wait|folio_wait_\\w+|folio_lock\\w*|lock_page\\w*|lock_buffer|sleep_on_\\w+|bit_wait_io|msleep\\w*|usleep_\\w+|do_nanosleep|hrtimer_nanosleep|rwsem_\\w+|inode_lock\\w*|rtmutex_\\w+|futex_wait_queue\\w*|swait_\\w+|blk_io_schedule|completion\\w*',
];

/** Interrupt entry, timers and the stall detectors themselves: what looked at the stalled CPU, not what it was doing. */
const STALL_DETECTION = [
  'rcu_(check_\\w+|sched_clock_irq|dump_\\w+|stall_\\w+|pending|implicit_\\w+|preempt_\\w*|gp_\\w+|exp_\\w+|report_\\w+)|print_(cpu|other_cpu|self)_(stall|\\w+)|check_cpu_stall|sched_show_task|dump_cpu_task|synchronize_rcu_expedited_wait\\w*|update_process_times|tick_(sched|nohz|handle|periodic|init|do)\\w*|hrtimer_(run_queues|interrupt)\\w*|hrtimer_run_\\w+|watchdog_(timer_fn|overflow_callback|hardlockup_\\w+|check_\\w+|buddy_\\w+)|is_softlockup|perf_event_(overflow|nmi_handler)|perf_event_overflow|x86_pmu_\\w+|intel_pmu_\\w+|armv8pmu_\\w+|arch_timer_(handler\\w*|irq\\w*)|(sp804|mct|twd|dummy)_timer_interrupt|riscv_timer_interrupt|apic_timer_interrupt|sysvec_\\w+|smp_apic_\\w+|local_apic_\\w+|handle_(percpu_devid_irq|domain_irq|irq_event\\w*|fasteoi_\\w+|level_irq|edge_irq|IPI|arch_irq)\\w*|generic_handle_(domain_)?\\w*irq\\w*|gic_handle_irq|gic_handle_\\w+|do_interrupt_handler|call_on_irq_stack|do_softirq\\w*|irq_(enter|exit)\\w*|irq_exit_\\w+|invoke_softirq|do_IRQ|common_interrupt|ret_from_intr|(gic|armada|bcm2836|aic)_\\w*irq\\w*|irqentry_\\w+|tick_\\w+|nmi_(cpu_backtrace|trigger\\w*|handle|cpu_backtrace_handler)|arch_trigger_\\w+|trigger_\\w*backtrace\\w*|handle_irq\\w*|do_nmi|timer_interrupt|handle_riscv_irq|do_irq|riscv_intc_irq',
  '(smp_call_function|csd_lock|on_each_cpu)\\w*|flush_smp_call_function\\w*|smp_(call|text)_\\w+|(finish_task_switch|finish_lock_switch)|(raw_)?local_irq_\\w+|arch_local_irq_\\w+|cpu_relax|delay|(udelay|const_udelay|ndelay)|loop_delay|delay_(tsc|loop)|timer_delay|ktime_get\\w*|arch_counter_\\w+|sched_clock\\w*|read_(tsc|hpet)',
];

/** lockdep-RCU: the accessor is where the check sits; its caller lacks the lock. */
const RCU_ACCESSORS = ['rcu_(dereference|read_lock)\\w*|lockdep_rcu_\\w+|rcu_is_\\w+|rcu_\\w+'];

const matcher = (...lists: readonly (readonly string[])[]): RegExp => new RegExp(`^(?:${lists.flat().join('|')})$`);

const FAULT = matcher(REPORTING, MEMORY_HELPERS, ATOMIC_HELPERS, LOCK_HELPERS, LIST_HELPERS);
const CHECK = matcher(REPORTING, MEMORY_HELPERS, ATOMIC_HELPERS, LOCK_HELPERS, LIST_HELPERS, OBJECT_DEBUG);
const LEAK = matcher(REPORTING, MEMORY_HELPERS, ALLOCATORS);
const FREE = matcher(REPORTING, MEMORY_HELPERS, ATOMIC_HELPERS, LOCK_HELPERS, LIST_HELPERS, ALLOCATORS);
const STALL = matcher(REPORTING, ATOMIC_HELPERS, LOCK_HELPERS, STALL_DETECTION);
const HUNG = matcher(REPORTING, LOCK_HELPERS, WAITING);
const RCU = matcher(REPORTING, LOCK_HELPERS, RCU_ACCESSORS);

/** Reports that need lists of their own, whatever their kind; named by the rule that recognises the header. */
export type BlameRule = 'odebug' | 'kobject' | 'proc' | 'usercopy' | 'allocation' | 'refcount' | 'rcu-usage' | 'header';

const BY_RULE: Readonly<{ [rule in Exclude<BlameRule, 'header'>]: RegExp }> = {
  odebug: matcher(REPORTING, MEMORY_HELPERS, LOCK_HELPERS, OBJECT_DEBUG, OBJECT_USERS, ALLOCATORS),
  kobject: matcher(REPORTING, MEMORY_HELPERS, ATOMIC_HELPERS, LOCK_HELPERS, LIST_HELPERS, KOBJECT),
  proc: matcher(REPORTING, PROC_REGISTRATION),
  usercopy: matcher(REPORTING, MEMORY_HELPERS, USERCOPY),
  allocation: FREE,
  refcount: matcher(REPORTING, ATOMIC_HELPERS, LOCK_HELPERS, LIST_HELPERS, KOBJECT),
  'rcu-usage': RCU,
};

const BY_KIND: Readonly<{ [kind in CrashKind]: RegExp }> = {
  'null-deref': FAULT,
  'paging-request': FAULT,
  oops: FAULT,
  bug: CHECK,
  warning: CHECK,
  kasan: FAULT,
  ubsan: FAULT,
  kfence: FAULT,
  kcsan: FAULT,
  lockdep: FAULT,
  'rcu-stall': STALL,
  'hung-task': HUNG,
  'soft-lockup': STALL,
  'hard-lockup': STALL,
  'workqueue-lockup': STALL,
  serror: FAULT,
  exception: FAULT,
  panic: CHECK,
  oom: FREE,
  'stack-overflow': FAULT,
  'sleeping-in-atomic': CHECK,
  refcount: CHECK,
  memleak: LEAK,
  other: CHECK,
};

/** True when `name` (without compiler suffixes) is not to be blamed for a report of this kind. */
export function isSkipped(name: string, kind: CrashKind, rule: BlameRule | null): boolean {
  const lists = rule === null || rule === 'header' ? BY_KIND[kind] : BY_RULE[rule];
  return lists.test(name.replace(/^_+/, ''));
}
