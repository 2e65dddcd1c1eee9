import { oneOf } from '../regex.ts';

/**
 * What a function that stands in a trace does there. A report is titled by the innermost function that is none of
 * these: what is in the table either prints the report, or only does what its caller told it to, for thousands of
 * callers, and says nothing about the mistake.
 *
 * Where the log names the source file of a frame (a decoded trace, a vmlinux), the file decides; the name does where it
 * does not. A function of a module is never a helper of the core kernel, whatever its name, except in the modules that
 * are themselves such helpers.
 */
export interface RoleFacts {
  /** Why such a frame is not to blame, as the record says it. */
  readonly why: string;
  /** Names from kernels 3.x to 6.19, without leading underscores and compiler suffixes; `*` stands for any text. */
  readonly names: string;
  /** Source files that hold nothing else. */
  readonly files?: RegExp;
  /** Modules in which they stand where they are not built in. */
  readonly modules?: RegExp;
}

/** Source files: a path that begins with one of these. */
function sources(...beginnings: readonly RegExp[]): RegExp {
  return new RegExp(`^${oneOf(...beginnings)}`);
}

export const ROLES = {
  reporting: {
    why: 'prints the report, or is on the way from the fault to it',
    files: sources(
      /kernel\/panic\.c|lib\/(?:dump_stack|bug|ubsan|nmi_backtrace)\.c|kernel\/stacktrace\.c/,
      /mm\/(?:kasan|kmsan|kfence)\/|kernel\/kcsan\/|kernel\/locking\/lockdep\.c/,
      /arch\/\w+\/kernel\/(?:traps|dumpstack\w*|stacktrace|return_address|entry\w*|unwind\w*)\.[cS]/,
      /arch\/\w+\/(?:mm\/(?:fault|kasan\w*)|entry\/\w+)\.[cS]|lib\/ratelimit\.c/,
      /include\/linux\/(?:kasan|instrumented|kmsan|lockdep|bug)[\w-]*\.h/,
    ),
    names: `
      panic_* print_bad_pte print_bad_page_map
      dump_stack dump_stack_lvl dump_stack_print_info dump_backtrace* show_stack* show_trace* show_regs*
      unwind_backtrace walk_stackframe save_stack save_stack_trace* arch_stack_walk* stack_trace_save*
      stack_trace_consume* return_address kunwind_* unwind_next_frame unwind_frame save_return_addr ratelimit panic
      vpanic nmi_panic* warn
      warn_printk warn_slowpath_* report_bug report_bug_entry bug_handler bug_brk_handler handle_bug fixup_bug
      is_valid_bugaddr do_unexpected_trap check_panic_on_warn oops_begin oops_end oops_enter oops_exit invalid_op
      die die_kernel_fault die_body die_addr arm64_notify_die arm_notify_die arm64_serror_panic do_kernel_fault
      do_mem_abort do_translation_fault do_page_fault do_bad_area do_alignment_fault do_tag_check_fault
      do_tag_recovery do_sp_pc_abort dequeue_task_idle do_sea do_serror do_undefinstr do_el1_undef do_el0_undef
      do_bti do_el1_bti do_el1_fpac do_debug_exception do_brk64 do_el1_brk64 do_PrefetchAbort do_DataAbort*
      do_kernel_address_page_fault bad_area bad_area_nosemaphore bad_area_access_error brk_handler call_break_hook
      call_el1_break_hook early_brk64 el0_* el0t_* el1t_* el1h_* bug_brk* ret_to_user ret_to_kernel
      ret_fast_syscall bad_mode panic_bad_mode bad_stack handle_bad_stack panic_lockup panic_stack_overflow
      pabt_svc dabt_svc und_svc und_svc_fault und_svc_finish und_usr* irq_svc dabt_usr v6_early_abort
      v7_early_abort local_daif_* enter_from_* exit_to_* arm64_enter_* arm64_exit_* irqentry_* asm_exc_*
      asm_sysvec_* asm_common_* do_trap do_trap_* do_error_trap do_invalid_op
      do_general_protection do_double_fault do_user_addr_fault do_kern_addr_fault do_divide_error do_int3*
      do_async_page_fault do_stack_segment do_nmi trace_do_page_fault error_entry error_return error_exit
      error_code no_context page_fault page_fault_oops async_page_fault double_fault general_protection
      divide_error invalid_opcode stack_segment kernelmode_fixup_or_oops nmi end_repeat_nmi nmi_handle
      nmi_cpu_backtrace* nmi_trigger* default_do_nmi retint_* ret_from_exception common_exception handle_exception
      handle_exception_nesting handle_page_fault gp_exception_table* program_check_exception program_check_common*
      data_access_common* do_bad_page_fault do_bad_slb_fault do_bad_IRQ tlb_do_page_fault_* do_bp handle_bp_int
      pgm_check_handler do_pgm_check kasan_* asan_* hwasan_* check_memory_region* memory_is_poisoned*
      memory_is_nonzero* bytes_is_nonzero print_report print_address_description* print_error_description
      print_memory_metadata print_shadow_for_address describe_object* describe_address* print_trailer
      print_section print_page_info end_report start_report addr_has_metadata kfence_report_error
      kfence_handle_page_fault kfence_print_* check_canary* kmsan_* msan_* tsan_* kcsan_* csan_* sanitizer_*
      ubsan_* handle_overflow handle_null_ptr_deref handle_misaligned_access
      handle_object_size_mismatch val_to_string fortify_* stack_chk_fail* read_word_at_a_time read_once_size*
      write_once_size* read_once_word_nocheck lockdep_* lock_acquire* lock_release* lock_acquired lock_contended
      lock_is_held* lock_class* lock_set_class lock_set_subclass lock_pin_* lock_unpin_* lock_downgrade
      lock_commit_* reacquire_held_locks find_lock_lowest* register_lock_class assign_lock_key add_lock_to_list
      add_chain_cache add_chain_block check_prev_add* check_prevs_add* check_deadlock* check_noncircular*
      check_irq_usage* check_usage check_usage_forwards check_usage_backwards check_wait_context*
      check_chain_key* validate_chain* valid_state mark_lock mark_lock_irq mark_lock_unused mark_held_locks
      mark_irqflags mark_usage debug_check_no_locks_* match_held_lock hlock_class look_up_lock_class
      print_unlock_imbalance_bug print_lock_* print_usage_bug* print_deadlock_bug print_circular_bug*
      print_bad_irq_dependency print_irq_inversion_bug print_freed_lock_bug print_held_locks_bug
      trace_hardirqs_on* trace_hardirqs_off* might_sleep* might_resched* might_fault* schedule_bug cant_sleep
      cant_migrate check_preemption_disabled debug_smp_processor_id this_cpu_preempt_check preempt_schedule*
      preempt_count_* rcu_note_context_switch rcu_read_unlock_special cond_resched* cond_resched printk vprintk
      printk_* vprintk_* console_unlock console_lock console_flush_* console_trylock console_emit_* dev_printk*
      dev_vprintk_emit dev_emerg dev_alert dev_crit dev_err dev_warn dev_notice dev_info dump_stack_*
      print_unlock_* handle_fault inv_entry
      exc_page_fault exc_general_protection exc_invalid_op exc_int3 exc_nmi* exc_debug* exc_divide_error
      exc_double_fault exc_machine_check* exc_stack_segment exc_alignment_check exc_control_protection exc_bounds
      exc_overflow exc_device_not_available exc_invalid_tss exc_segment_not_present exc_coprocessor_* exc_simd_*
      exc_spurious_* exc_virtualization_exception exc_vmm_* exc_xen_* el1_abort el1_sync* el1_irq* el1_fiq*
      el1_error* el1_undef el1_dbg el1_da el1_ia el1_pc el1_inv* el1_sp_pc el1_brk64 el1_bti el1_fpac el1_gcs
      el1_mops el1_interrupt el1_softstp el1_watchpt el1_breakpt
    `,
  },
  instrumentation: {
    why: 'is instrumentation that the compiler or a tracer put there',
    files: /^(?:kernel\/kcov\.c|kernel\/trace\/)/,
    names: `
      sanitizer_cov_* write_comp_data check_kcov_mode kcov_* cov_trace_* x86_indirect_* x86_return_* indirect_thunk*
      srso_* ftrace_caller ftrace_regs_caller ftrace_regs_call ftrace_call ftrace_graph_caller ftrace_stub* mcount*
      fentry__ trace_event_raw_* traceiter_* trace_array_* trace_vprintk* perf_trace_* bpf_trace_run* perf_tp_event
      perf_swevent_* cfi_check* cfi_slowpath*
      stack_depot_* depot_* set_track_prepare rust_helper_* trace_lock_* rcu_read_lock_*held*
    fs_reclaim_acquire fs_reclaim_release
    `,
  },
  memory: {
    why: 'copies or compares the memory that its caller named',
    files: sources(
      /lib\/(?:string|usercopy|strncpy_from_user|strnlen_user|iov_iter)\.c|mm\/(?:maccess|usercopy)\.c/,
      /arch\/\w+\/lib\/|arch\/\w+\/include\/asm\/(?:uaccess|io)\.h/,
    ),
    names: `
      mmiocpy mmioset iov_iter_* ioread*_rep iowrite*_rep
      logic_in* logic_out* inb inw inl outb outw outl insb insw insl copy_to_iter* copy_from_iter* copy_page_to_iter*
      copy_page_from_iter* simple_copy_to_iter iterate_and_advance*
      memcpy* memmove* memset* memcmp* memchr* memscan* pi_mem* pi_str* arch_mem* strcpy* strncpy* strcmp*
      strncmp* strlen* strnlen* strchr* strrchr* strnchr* strcasecmp* strncasecmp* strcat* strncat* strlcpy*
      strlcat* strscpy* sized_strscpy* strsep* strspn* strcspn strpbrk* strstr* strnstr* strim* strchrnul*
      skip_spaces copy_to_user* copy_from_user* copy_in_user* copy_user* clear_user* arch_copy_to_user*
      arch_copy_from_user* arch_clear_user* asm_copy_to_user* asm_copy_from_user* raw_copy_to_user*
      raw_copy_from_user* arm_copy_from_user* arm_copy_to_user* get_user get_user_[1248] get_user_nocheck_*
      put_user put_user_[1248] put_user_nocheck_* strncpy_from_user* strnlen_user* import_iovec* iovec_from_user*
      copy_compat_* copy_page copy_page_mc copy_page_nt
      copy_page_regs copy_page_rep copy_mc_* clear_page clear_page_* copy_highpage clear_huge_page
      rep_movs_alternative rep_stos_alternative copy_to_kernel_nofault* copy_from_kernel_nofault* probe_kernel_*
      csum_partial* arm_smccc_smc arm_smccc_hvc arm_smccc_1_1_* arm_smccc_1_2_* raw_readb raw_readw raw_readl
      raw_readq raw_writeb raw_writew raw_writel raw_writeq readb readw readl readq writeb writew writel writeq
      readl_relaxed writel_relaxed raw_readsl raw_writesl ioread8 ioread16 ioread32 iowrite8 iowrite16 iowrite32
      bcmp stpcpy fault_in_iov_iter_readable fault_in_iov_iter_writeable extract_iter_to_sg dup_iter import_ubuf
      copy_iovec_from_user
    `,
  },
  atomic: {
    why: 'changes the bits or the count that its caller named',
    files: sources(
      /lib\/(?:refcount|find_bit|atomic64|bitmap)\.c/,
      /include\/linux\/(?:atomic\/|refcount|kref|bitops|instrumented|find)/,
      /include\/asm-generic\/(?:bitops|atomic)|arch\/\w+\/include\/asm\/(?:atomic|bitops|cmpxchg)/,
    ),
    names: `
      set_bit clear_bit change_bit test_bit test_and_set_bit* test_and_clear_bit* test_and_change_bit* set_bit_*
      clear_bit_* find_next_bit* find_first_bit* find_last_bit* find_next_zero_bit* find_first_zero_bit*
      find_next_and_bit* ll_sc_* lse_* arch_atomic* atomic_* atomic64_* atomic_long_* raw_atomic* cmpxchg* xchg*
      arch_test_* arch_set_bit* arch_clear_bit* instrument_* refcount_* ex_handler_refcount kref_get kref_put*
      kref_init kref_read x86_indirect_* x86_return_* indirect_thunk* srso_* ftrace_caller ftrace_regs_caller
      ftrace_regs_call ftrace_call ftrace_graph_caller mcount* fentry__
      lockref_get lockref_get_not_dead lockref_get_not_zero lockref_mark_dead lockref_put_not_zero
      lockref_put_or_lock lockref_put_return rcuref_get_slowpath rcuref_put_slowpath sw_hweight8 sw_hweight16
      sw_hweight32 sw_hweight64 find_next_clump8
    `,
  },
  lock: {
    why: 'takes, releases or wakes what its caller named',
    files: sources(
      /kernel\/locking\/|include\/asm-generic\/q(?:spin|rw)lock|kernel\/sched\/(?:wait|completion|swait)\w*\.c/,
      /include\/linux\/(?:spinlock|rwlock|rwsem|mutex|semaphore|seqlock|local_lock|rcupdate)\w*\.h/,
    ),
    names: `
      ldsem_* atomic_dec_and_lock* atomic_dec_and_raw_lock* raw_spin_* spin_lock* spin_unlock* spin_trylock* spin_dump
      spin_bug raw_read_* raw_write_* read_lock* read_unlock* write_lock* write_unlock* do_raw_* arch_spin_*
      arch_read_* arch_write_* queued_spin_* queued_read_* queued_write_* native_queued_* pv_queued_* rwlock_bug
      debug_spin_* ticket_spin_* osq_lock osq_unlock mcs_* bit_spin_* resilient_* mutex_lock* mutex_unlock*
      mutex_trylock* mutex_remove_waiter mutex_optimistic_spin* mutex_spin_on_owner mutex_add_waiter ww_mutex_*
      rt_mutex_* rt_spin_* rt_read_* rt_write_* rtlock_* debug_mutex_* atomic_dec_and_mutex_lock
      refcount_dec_and_mutex_lock refcount_dec_and_lock* rtmutex_* down down_read* down_write* down_interruptible
      down_killable down_timeout down_trylock down_common up up_read* up_write* rwsem_* call_rwsem_* percpu_down_*
      percpu_up_* percpu_rwsem_* rwbase_* try_to_wake_up default_wake_function autoremove_wake_function complete
      complete_all complete_with_flags complete_on_current_cpu prepare_to_wait* prepare_to_swait* finish_wait
      finish_swait add_wait_queue* remove_wait_queue init_waitqueue* local_lock* local_unlock* local_bh_enable*
      local_bh_disable* seqprop_* lock_timer_base lock_hrtimer_base task_rq_lock raw_spin_rq_* bit_lock* seqlock_*
      read_seq* write_seq* rcu_read_lock* rcu_read_unlock* rcu_lock_acquire rcu_lock_release srcu_read_* wake_up*
      swake_up*
      init_rwsem percpu_init_rwsem percpu_free_rwsem percpu_is_read_locked downgrade_write rwlock_init
      try_to_take_rt_mutex task_blocks_on_rt_mutex remove_waiter mark_wakeup_next_waiter grab_mcs_node
    `,
  },
  guard: {
    why: "takes or releases a subsystem's lock for its caller",
    names: `
      genpd_lock_* genpd_unlock_*
      clk_prepare_lock clk_prepare_unlock clk_enable_lock clk_enable_unlock regmap_lock_* regmap_unlock_*
      drm_modeset_lock* drm_modeset_unlock* i2c_lock_bus i2c_adapter_lock_bus
      lock_sock* sock_lock* release_sock  netdev_lock* device_lock* unix_state_* lock_two_* folio_unlock unlock_page
      reiserfs_write_lock* reiserfs_write_unlock* tty_lock* tty_unlock* console_lock console_trylock snd_power_wait*
      irq_get_desc_lock irq_put_desc_unlock
    `,
  },
  container: {
    why: 'keeps a list, tree or table of its caller',
    files: sources(
      /lib\/(?:list_debug|rbtree\w*|radix-tree|xarray|idr|maple_tree|rhashtable|klist|llist|plist|timerqueue)\.c/,
      /lib\/(?:interval_tree\w*|btree|assoc_array|generic-radix-tree|genalloc|sbitmap|kfifo|scatterlist)\.c/,
      /lib\/(?:percpu_counter|ref_tracker)\.c/,
      /include\/linux\/(?:list\w*|rbtree\w*|hashtable|rhashtable|xarray|idr|rculist\w*|llist|plist)\.h/,
    ),
    names: `
      list_sort sg_miter_* sg_copy_* sg_nents* btree_*
      list_lru_*
      find_lock_entries* find_get_entries* truncate_inode_pages*
      list_add* list_del* list_replace* list_move* list_splice* list_cut* list_swap* list_empty* hlist_* plist_*
      llist_* rbt_* rbtree_* radix_tree_* xa_* xas_* idr_* ida_* mas_* mt_* mtree_* rhashtable_* rht_*
      klist_* hlist_* timerqueue_* interval_tree_* assoc_array_* genradix_* gen_pool_* sbitmap_* kfifo_* sg_next
      sg_free_* sg_init_* sg_alloc_* percpu_counter_* ref_tracker_* bitmap_* find_*_bit hash_* jhash*
      xattr_find_entry
      sg_last sg_pcopy_* sg_zero_buffer sg_page_iter_* sg_kmalloc sg_kfree get_next_sg sgl_alloc* sgl_free*
      rhltable_init* bucket_table_* nested_bucket_table_* nested_table_* bucket_nested cpumask_next*
      cpumask_any_* cpumask_local_spread alloc_cpumask_var* free_cpumask_var knode_* node_tag_clear node_tag_set
      node_tag_get textsearch_*
      rb_insert* rb_erase* rb_next* rb_prev rb_first* rb_last* rb_left_deepest_node rb_replace_node*
      rb_link_node* rb_add* rb_find* rb_rotate* rb_set_parent* rb_change_child* rb_augment*
    `,
  },
  text: {
    why: 'formats or sums the data that its caller handed it',
    files: sources(
      /lib\/(?:vsprintf|hexdump|kasprintf|crc[\w-]*|crc\/.*|string_helpers|kstrtox|parser|seq_buf|uuid)\.c/,
      /lib\/(?:checksum|cmdline|sort|bsearch|glob)\.c/,
    ),
    names: `
      aes_* crypto_* sha1_* sha256_* sha512_* chacha_* poly1305_* kobject_set_name*
      dev_err_probe dynamic_* ptr_to_id md5_*
      va_format netdev_printk netdev_warn netdev_err netdev_info device_node_gen_full_name
      snprintf vsnprintf sprintf vsprintf scnprintf vscnprintf format_decode pointer string string_nocheck hex_string
      number special_hex_number symbol_string resource_string bitmap_string ip4_* ip6_addr_string* uuid_string
      escaped_string mac_address_string dentry_name device_node_string fwnode_string vbin_printf bstr_printf kasprintf
      kvasprintf* kstrto* simple_strto* sscanf vsscanf hex_dump_to_buffer print_hex_dump* hex2bin bin2hex
      seq_printf seq_vprintf seq_puts seq_write seq_buf_* seq_escape* sysfs_emit* crc16* crc32* crc64* crc7* crc8*
      crc_itu*
      crc_ccitt* crc_t10dif* xor_blocks xxh32* xxh64* siphash* sort sort_r bsearch match_token parse_args
      kobject_get_path
      add_uevent_var
      uuid_gen uuid_parse uuid_is_valid guid_gen guid_parse generate_random_uuid generate_random_guid
      base64_encode base64_decode bcd2bin bin2bcd bprintf hex_to_bin hsiphash_* glob_match glob_match_len
      memparse next_arg get_option get_options parse_integer* skip_atoi parse_int_array* kasprintf_strarray
      match_string match_strlcpy match_strdup match_int match_uint match_u64 match_octal match_hex match_wildcard
      mangle_path string_escape_mem string_unescape string_get_size strreplace put_dec put_dec_* num_to_str
      widen_string check_pointer check_pointer_msg error_string err_ptr default_pointer pointer_string
      restricted_pointer ptr_to_hashval format_flags flags_string fourcc_string rtc_str time64_str time_and_date
      date_str time_str bdev_name file_dentry_name ip_addr_string ip6_string ip6_compressed_string netdev_bits
      clock_string set_field_width set_precision ip_compute_csum ip_fast_csum csum_tcpudp_nofold
      prandom_bytes_state prandom_u32_state prandom_seed_full_state seq_bprintf seq_dentry seq_file_path seq_path
      seq_path_root seq_hex_dump seq_hlist_* seq_list_next* seq_list_start* seq_lseek seq_open seq_open_private
      seq_pad seq_put_decimal_* seq_put_hex_ll seq_putc seq_release seq_release_private single_open
      single_open_size single_release
    `,
  },
  allocation: {
    why: 'allocates or frees what its caller named',
    files: sources(
      /mm\/(?:sl[aou]b\w*|page_alloc|vmalloc|util|mempool|percpu\w*|kmemleak|dmapool|page_frag_cache)\.c/,
      /mm\/(?:memcontrol|list_lru)\.c|mm\/slab\.h|include\/linux\/(?:slab|gfp|percpu|mempool)\w*\.h/,
    ),
    names: `
      release_firmware free_fw_priv get_inode debugfs_get_inode security_inode_alloc selinux_inode_alloc*
      alloc_slab_page alloc_page_* folios_put* release_pages* put_page* folio_put* free_swap_cache* lru_add_drain*
      pcpu_* array_map_alloc htab_map_alloc*
      kmalloc* kzalloc* kcalloc* krealloc* kvmalloc* kvzalloc* kvcalloc* kvrealloc* vmalloc* vzalloc* vcalloc
      kmem_* do_kmalloc* devm_kmalloc* devm_kzalloc* devm_kcalloc* pcpu_alloc* alloc_percpu* free_percpu kfree*
      kvfree* vfree* vunmap* slab_* slob_* slub_* new_slab* allocate_slab free_slab discard_slab setup_object*
      check_slab check_object check_bytes_and_report check_pad* object_err free_debug_processing alloc_debug_processing
      free_to_partial_list on_freelist cache_alloc* cache_free* cache_grow* do_slab_free create_object kmemleak_*
      mempool_* alloc_page alloc_pages* alloc_frozen_pages* alloc_skb* alloc_large_* get_free_page*
      get_zeroed_page free_page free_pages* free_unref_* free_frozen_pages* free_pcp_* free_the_page
      free_compound_page put_compound_page free_one_page free_hot_cold_page* free_pcppages_bulk
      get_page_from_freelist prep_new_page post_alloc_hook warn_alloc* folio_alloc* page_frag_* bad_page
      check_free_page* check_new_page* free_page_is_bad* dump_page rmqueue* memdup_user* kmemdup* kstrdup*
      kstrndup* vmemdup_* rcu_free_slab memcg_* get_mem_cgroup_* obj_cgroup_* kfree_* kvfree_*
      kmalloc_* kzfree kzfree_* free_large_kmalloc free_percpu* dma_alloc_* dma_free_* dma_pool_* dmam_*
      radix_tree_node_alloc pcpu_mem_* vmalloc_* vmap_* free_vmap* remove_vm_area find_vm_area bpf_map_area_*
      sock_alloc_* sk_prot_alloc sk_alloc sk_free sk_destruct sk_prot_free alloc_inode* new_inode*
      alloc_workqueue* fsnotify_alloc_* simple_xattr_alloc_* napi_alloc_* kernfs_new_node_*
      ksize kvmemdup* vcalloc_noprof get_zeroed_page_noprof strndup_user split_page vmap vm_map_ram vm_unmap_ram
      vm_unmap_aliases vb_alloc vb_free alloc_vmap_area find_vmap_area find_unlink_vmap_area insert_vmap_area*
      get_vm_area get_vm_area_* free_vm_area remap_vmalloc_range* vrealloc* is_vmalloc_addr
      is_vmalloc_or_module_addr alloc_contig_* free_contig_* free_reserved_page deactivate_slab put_cpu_partial
      put_partials* get_partial get_partial_node get_any_partial alloc_single_from_* build_detached_freelist
      freelist_corrupted prefetch_freepointer init_object set_track_update get_track
      alloc_slab_obj_exts pool_block_* pool_check_block pool_find_page poison_element check_element add_element
      remove_element of_gen_pool_get
      get_freepointer*
    `,
  },
  mapping: {
    why: 'maps or synchronises for DMA what its caller named',
    files: sources(
      /kernel\/dma\/|drivers\/(?:iommu\/dma-iommu|xen\/swiotlb-xen)\.c/,
      /arch\/\w+\/mm\/(?:cache|dma-mapping)\.[cS]/,
    ),
    names: `
      dma_map_* dma_unmap_* dma_sync_* dma_direct_* dma_common_* dma_mmap_* dma_get_sgtable* iommu_dma_* swiotlb_*
      xen_swiotlb_* arch_sync_dma_* arch_dma_prep_* arch_dma_map_* debug_dma_* check_unmap check_sync
      check_for_illegal_area add_dma_entry active_cacheline_* dcache_* caches_clean_* clean_dcache_* inval_dcache_*
      inval_cache_range flush_dcache_* flush_icache_* dma_clean_range dma_inv_range dma_flush_range
      dma_need_sync dma_set_mask dma_set_coherent_mask dma_get_required_mask dma_max_mapping_size
      dma_opt_mapping_size dma_get_merge_boundary dma_addressing_limited dma_can_mmap dma_vmap_noncontiguous
      dma_vunmap_noncontiguous dma_pci_p2pdma_supported
      *dma_inv_range *dma_clean_range *dma_flush_range *dma_map_area *dma_unmap_area dma_cache_maint* dma_page_dev_to_*
      dma_page_cpu_to_* arm_dma_* arm_coherent_dma_* r4k_dma_cache_* loongson_dma_*
    `,
  },
  packet: {
    why: 'handles the packet that its caller named',
    files: /^(?:net\/core\/skbuff\.c|include\/linux\/skbuff\.h)/,
    names: `
      napi_consume_skb napi_build_skb skb_add_rx_frag* skb_ensure_writable eth_type_trans napi_gro_* netif_rx*
      eth_header
      dev_queue_xmit dev_direct_xmit
      netif_receive_skb* sk_stop_timer* sk_reset_timer* page_pool_* xdp_return_*
      sk_skb_reason_drop sk_skb_* 
      skb_panic skb_over_panic skb_under_panic skb_put* skb_push* skb_pull* skb_trim* skb_release_* skb_dequeue*
      skb_queue_* skb_unlink skb_free_head skb_clone* skb_copy* skb_checksum* pskb_* kfree_skb* consume_skb*
      dev_kfree_skb*
      kfree_skbmem free_skb* skb_unref skb_get skb_set_* skb_headers_* skb_cow* skb_expand_head dev_alloc_skb
      netdev_alloc_skb*
      alloc_skb* build_skb* nlmsg_* nla_* sock_queue_rcv_skb* sock_alloc_send_* sock_wmalloc sock_rmalloc sock_omalloc
      sock_kmalloc sock_wfree sock_rfree sock_efree
      skb_append skb_append_pagefrags skb_coalesce_rx_frag skb_complete_tx_timestamp skb_complete_wifi_ack
      skb_condense skb_errqueue_purge skb_ext_* skb_find_text skb_morph skb_orphan_partial skb_pad
      skb_page_frag_refill skb_partial_csum_set skb_prepare_seq_read skb_seq_read skb_abort_seq_read
      skb_realloc_headroom skb_scrub_packet skb_split skb_shift skb_store_bits skb_to_sgvec* skb_try_coalesce
      skb_tstamp_tx skb_tx_error skb_vlan_pop skb_vlan_push skb_vlan_untag skb_zerocopy* skb_zcopy_*
      skb_pp_recycle skb_kfree_head skb_attempt_defer_free skb_drop_list skb_rbtree_purge skb_maybe_pull_tail
      skb_prepare_for_shift copy_skb_header napi_skb_cache_* napi_skb_free_stolen_head napi_kfree_skb
      napi_schedule napi_schedule_prep napi_schedule_irqoff napi_complete_done napi_enable* napi_disable*
      netif_napi_add* netif_napi_del* sock_queue_err_skb sock_dequeue_err_skb sock_rmem_free sock_kfree_s
      sock_kzfree_s sock_pfree sk_page_frag_refill netif_schedule* netif_tx_stop_all_queues netif_tx_wake_queue
      netif_device_attach netif_device_detach netif_set_real_num_*
    `,
  },
  object: {
    why: 'is the driver core, sysfs or a reference count, which handles the object that its caller named',
    files: sources(
      /drivers\/base\/(?:core|bus|driver|dd|devres|class|platform|component|attribute_container|cpu)\.c/,
      /drivers\/base\/(?:property|swnode)\.c|drivers\/base\/power\//,
      /lib\/(?:kobject\w*|kref)\.c|fs\/(?:sysfs\/|kernfs\/dir\.c)/,
    ),
    names: `
      device_is_dependent device_link_*
      dev_set_drvdata dev_get_drvdata class_unregister device_attach device_bind_driver
      device_property_* platform_get_* of_node_* of_property_* of_device_is_*
      of_get_parent of_get_next_* of_get_child_by_name of_get_compatible_child of_get_property of_get_cpu_node
      of_find_node_* of_find_property of_find_compatible_node of_find_matching_node* of_find_device_by_node
      of_find_all_nodes
      simple_recursive_removal
      remove_proc_* proc_remove alloc_netdev* alloc_etherdev* free_netdev
      unregister_netdev unregister_netdevice
      kernfs_remove* kernfs_drain* kernfs_find* kernfs_create* kernfs_add* kernfs_put kernfs_get kernfs_activate*
      kernfs_unlink* kernfs_link* kernfs_deactivate* kernfs_name_* kernfs_new_node*
      rollback_registered* unregister_netdevice_many* unregister_netdevice_queue* netdev_unregister_kobject
      netdev_register_kobject usb_disable_device* usb_unbind_* usb_set_configuration tty_unregister_device
      tty_register_device*
      hwrng_unregister* i2c_unregister_device i2c_del_adapter unregister_client
      config_item_get* config_item_put config_group_get config_group_put driver_set_override
      of_device_unregister
      kobject_* kset_* kref_* device_add device_add_* device_del device_unregister device_register
      device_initialize
      device_create* device_destroy device_remove* device_release* device_unbind* device_find_child* device_for_each_*
      device_get_* device_links_* device_pm_* device_node_* get_device put_device get_device_parent
      cleanup_glue_dir dev_set_name dev_uevent dev_attr_* devres_* devm_* release_nodes internal_create_*
      create_files remove_files bus_add_* bus_remove_* bus_probe_device bus_for_each_* bus_find_* bus_register*
      bus_unregister*
      bus_rescan* bus_notify driver_probe_device driver_attach* driver_detach driver_register driver_unregister
      driver_add_*
      driver_remove_* driver_create_* driver_for_each_* driver_find* class_create* class_register* class_destroy
      class_find_*
      class_for_each_* class_dev_* platform_device_add* platform_device_del platform_device_register*
      platform_device_unregister
      platform_device_put platform_driver_unregister component_* pm_runtime_* rpm_* dpm_* debugfs_remove*
      debugfs_create_*
        debugfs_start_creating start_creating fwnode_* device_links_*
      attribute_container_* transport_*
      device_match_* device_set_node device_set_of_node_from_dev device_rename device_move device_reprobe
      device_change_owner device_driver_attach device_driver_detach device_private_init device_is_bound
      device_show_* device_store_* device_reorder_to_tail device_namespace kill_device bus_create_file
      bus_sort_breadthfirst bus_get_kset bus_get_dev_root class_interface_* class_compat_* class_remove_file_ns
      subsys_interface_* subsys_virtual_register subsys_system_register root_device_register
      root_device_unregister platform_driver_register platform_driver_probe platform_register_drivers
      platform_unregister_drivers platform_create_bundle platform_add_devices platform_device_alloc
      platform_irq_count dev_driver_string dev_get_regmap get_dev_from_fwnode set_primary_fwnode
      set_secondary_fwnode software_node_* property_entries_* driver_sysfs_add driver_sysfs_remove add_dr find_dr
      replace_dr remove_nodes kernfs_notify kernfs_path_from_node* kernfs_break_active_protection
      kernfs_unbreak_active_protection kernfs_get_active kernfs_put_active kernfs_next_descendant_post
      kernfs_leftmost_descendant kernfs_get_open_node kernfs_rename_ns kernfs_destroy_root kernfs_walk_ns
      kernfs_lockdep compat_only_sysfs_link_entry_to_kobj internal_change_owner debugfs_lookup
      debugfs_lookup_and_remove debugfs_rename debugfs_change_name debugfs_file_get debugfs_file_put
      debugfs_attr_read debugfs_attr_write debugfs_print_regs32 debugfs_read_file_bool debugfs_write_file_bool
      end_creating failed_creating fill_kobj_path get_kobj_path_length alloc_uevent_skb uevent_net_broadcast*
      zap_modalias_env wakeup_source_* pm_relax pm_stay_awake pm_wakeup_dev_event pm_wakeup_ws_event
      pm_system_wakeup pm_schedule_suspend update_pm_runtime_accounting update_runtime_status update_autosuspend
      get_cpu_device cpu_device_create
      kobj_attr_* kobj_kset_* kobj_map kobj_unmap kobj_lookup kobj_child_ns_ops kobj_ns_* kobj_bcast_filter
      kobj_usermode_filter sysfs_create_* sysfs_remove_* sysfs_add_* sysfs_merge_* sysfs_unmerge_* sysfs_update_*
      sysfs_notify* sysfs_kf_* sysfs_move_* sysfs_rename_* sysfs_delete_link sysfs_do_* sysfs_warn_dup sysfs_chmod_file
      sysfs_break_* sysfs_unbreak_* sysfs_group* sysfs_link_* sysfs_file_* sysfs_change_owner sysfs_get*
      sysfs_put* sysfs_find_dirent sysfs_hash_* sysfs_open_* sysfs_read_file sysfs_write_file sysfs_release
      sysfs_addrm_* sysfs_deactivate sysfs_schedule_* sysfs_pathname sysfs_streq sysfs_match_string sysfs_slab_*
      sysfs_attr_ns sysfs_bin_*
    `,
  },
  handle: {
    why: 'acts on the clock, line, register map, supply or bus device that its caller handed it',
    modules: /^regmap_\w+$/,
    names: `
      clk_prepare clk_unprepare clk_enable clk_disable clk_is_enabled* clk_is_match clk_set_rate* clk_get_rate
      clk_round_rate clk_set_parent clk_get_parent clk_has_parent clk_set_phase clk_get_phase clk_set_duty_cycle
      clk_set_min_rate clk_set_max_rate clk_rate_exclusive_* clk_put clk_bulk_prepare clk_bulk_unprepare clk_bulk_enable
      clk_bulk_disable clk_core_* clk_hw_set_parent clk_hw_get_* clk_hw_is_* clk_hw_round_rate clk_hw_unregister
      clk_notifier_* clk_save_context clk_prepare_enable clk_disable_unprepare clk_get_name
      gpiod_set_* gpiod_get_value* gpiod_get_raw_* gpiod_get_array_value* gpiod_get_direction gpiod_direction_input
      gpiod_direction_output* gpiod_to_irq gpiod_to_chip gpiod_put* gpiod_cansleep gpiod_is_active_low gpiod_toggle_*
      gpio_set_value* gpio_get_value* gpio_to_irq gpio_free gpiochip_lock_as_irq gpiochip_get_data
      regmap_* syscon_node_to_regmap
      regulator_put* regulator_enable* regulator_disable* regulator_bulk_enable regulator_bulk_disable
      regulator_bulk_free regulator_is_enabled* regulator_set_* regulator_get_voltage* regulator_get_current_limit
      regulator_get_mode regulator_count_voltages regulator_list_voltage regulator_is_supported_voltage
      regulator_unregister regulator_register_notifier regulator_unregister_notifier regulator_force_disable
      reset_control_assert reset_control_deassert reset_control_reset reset_control_rearm reset_control_status
      reset_control_put* reset_control_acquire reset_control_release reset_control_bulk_*
      pinctrl_select_state pinctrl_lookup_state pinctrl_put pinctrl_pm_select_* pinctrl_force_* pinctrl_unregister
      phy_power_on phy_power_off phy_init phy_exit phy_set_mode* phy_calibrate phy_configure phy_validate
      phy_pm_runtime_* mdiobus_read* mdiobus_write* mdiobus_modify* mdiobus_c45_* phy_read* phy_write* phy_modify*
      pwm_apply_* pwm_enable pwm_disable pwm_config pwm_get_state pwm_put
      icc_set_bw icc_enable icc_disable icc_put nvmem_cell_* nvmem_device_* mbox_send_message mbox_free_channel
      power_supply_changed power_supply_get_* power_supply_set_* power_supply_put power_supply_unregister
      extcon_set_state* extcon_get_state extcon_register_notifier extcon_unregister_notifier hwspin_*
      snd_soc_component_read* snd_soc_component_write* snd_soc_component_update_* snd_soc_component_async_*
      i2c_transfer* i2c_transfer_buffer_flags i2c_smbus_* i2c_master_* spi_sync* spi_async* spi_write_then_read
      dmaengine_terminate_* dma_release_channel
      iommu_map* iommu_unmap* iommu_iova_to_phys iommu_attach_device iommu_detach_device iommu_domain_free iommu_set_*
      pm_generic_* genpd_runtime_* dev_pm_set_* dev_pm_clear_* device_wakeup_* device_set_wakeup_*
      pci_read_config_* pci_write_config_* pci_bus_read_config_* pci_bus_write_config_*
      pci_user_read_config_* pci_user_write_config_*
      irq_get_irq_data irq_set_chip* irq_set_handler* irq_create_mapping* irq_find_mapping* irq_dispose_mapping
      clk_get_hw pci_disable_device pci_enable_device* pci_release_region* pci_set_master pci_clear_master
      reset_control_get* of_reset_control_get* of_reset_control_array_get reset_control_array_get
    `,
  },
  request: {
    why: 'requests, frees or masks the interrupt that its caller named',
    files: /^kernel\/irq\/(?:manage|devres)\.c/,
    names: `
      request_irq request_threaded_irq setup_irq devm_request_*
      free_irq* devm_free_irq enable_irq disable_irq* irq_set_affinity*
      irq_set_irq_wake irq_set_irq_type synchronize_irq* synchronize_hardirq
      request_any_context_irq request_percpu_irq disable_hardirq disable_percpu_irq enable_percpu_irq
      irq_force_affinity irq_apply_affinity_hint irq_set_irqchip_state irq_get_irqchip_state irq_set_parent
      irq_set_vcpu_affinity irq_wake_thread irq_has_action irq_check_status_bit irq_set_trigger
      irq_do_set_affinity irq_percpu_is_enabled
      unregister_irq_proc free_desc irq_free_descs irq_domain_free_irqs* msi_domain_free_* pci_msi_teardown_msi_irqs
      pci_free_msi_irqs free_msi_irqs pci_free_irq_vectors pci_disable_msi pci_disable_msix
    `,
  },
  scheduling: {
    why: 'waits, or queues or cancels work, a timer or a thread of its caller',
    files: sources(
      /kernel\/(?:workqueue\w*|kthread|softirq|irq_work|smp|async|task_work)\.c|kernel\/(?:sched|time|rcu)\//,
      /include\/linux\/(?:workqueue|timer|hrtimer|kthread|wait|sched)\w*\.h/,
    ),
    names: `
      fsleep delayed_work_timer_fn tasklet_disable* tasklet_unlock*
      cleanup_srcu_struct* percpu_ref_* cpu_stopper_* stop_one_cpu* stop_machine*
      filemap_fdatawait* fdatawait_one_bdev filemap_fdatawrite* do_read_cache_*
      switch_to switch_to_asm context_switch schedule schedule_timeout* schedule_hrtimeout*
      schedule_preempt_disabled schedule_debug schedule_idle schedule_loop schedule_rtlock schedule_user
      io_schedule* freezable_schedule* preempt_schedule* wait_for_completion* wait_for_common* wait_for_partner
      wait_for_stable_page wait_for_random_bytes do_wait_for_common wait_woken wait_on_* bit_wait*
      out_of_line_wait_* wait_rcu_gp* synchronize_* rcu_barrier* flush_work* flush_delayed_work flush_workqueue*
      cancel_work_sync cancel_delayed_work_sync cancel_work_timer drain_workqueue kthread_stop kthread_park
      kthread_flush_* folio_wait_* folio_lock* lock_page* lock_buffer sleep_on_* msleep* usleep_range*
      do_nanosleep hrtimer_nanosleep ktime_get* inode_lock* futex_wait_queue* swait_* completion_* queue_work*
      queue_delayed_work* queue_rcu_work insert_work* mod_delayed_work* flush_* cancel_work* cancel_delayed_work*
      destroy_workqueue alloc_and_link_* get_work_pool get_pwq put_pwq* try_to_grab_pending start_flush_work
      kthread_* wq_* add_timer* mod_timer* del_timer* timer_delete* timer_shutdown* try_to_del_timer* timer_reduce
      internal_add_timer enqueue_timer detach_timer detach_if_pending calc_wheel_index lock_timer_base
      timer_fixup* hrtimer_* remove_hrtimer enqueue_hrtimer call_rcu* call_srcu rcu_* srcu_* synchronize_*
      tasklet_kill tasklet_schedule* irq_work_* async_synchronize* async_schedule* task_work_add task_work_cancel*
      smp_call_* on_each_cpu* csd_lock* generic_exec_single raise_softirq*   dequeue_task*
      enqueue_task* activate_task deactivate_task pick_next_* update_curr* check_preempt_* ttwu_* select_task_rq*
      sched_* task_rq_* try_invoke_* remove_wait_queue add_wait_queue* mutex_*
      init_srcu_struct disable_work* disable_delayed_work* enable_work enable_delayed_work work_busy work_on_cpu*
      work_grab_pending execute_in_process_context find_worker_executing_work check_flush_dependency
      destroy_work_on_stack destroy_delayed_work_on_stack destroy_timer_on_stack destroy_hrtimer_on_stack
      set_cpus_allowed_ptr* tasklet_init tasklet_setup tasklet_hi_schedule try_wait_for_completion
      wake_bit_function woken_wake_function round_jiffies* timer_update_keys blocking_notifier_chain_register*
      blocking_notifier_chain_unregister raw_notifier_chain_register raw_notifier_chain_unregister
      atomic_notifier_chain_register* atomic_notifier_chain_unregister srcu_notifier_chain_register
      srcu_notifier_chain_unregister notifier_chain_register notifier_chain_unregister set_work_pool_and_*
      set_work_pwq pwq_activate_* pwq_tryinc_nr_active worker_enter_idle kick_pool unlock_hrtimer_base
    `,
  },
  usb: {
    why: "is USB core's, and handles the transfer or the device that its caller named",
    files: /^drivers\/usb\/core\/(?:urb|message|buffer|hcd|usb)\.c/,
    modules: /^usbcore$/,
    names: `
      usb_kill_urb usb_kill_anchored_urbs usb_poison_* usb_unpoison_* usb_submit_urb usb_unlink_urb
      usb_unlink_anchored_urbs
      usb_free_urb usb_get_urb usb_put_urb usb_alloc_urb usb_init_urb usb_anchor_* usb_unanchor_* usb_wait_anchor_*
      usb_hcd_submit_urb usb_hcd_unlink_urb usb_hcd_giveback_urb unlink1 usb_control_msg* usb_bulk_msg usb_interrupt_msg
      usb_start_wait_urb usb_internal_control_msg usb_sg_* usb_free_coherent usb_alloc_coherent usb_put_dev usb_get_dev
      usb_put_intf usb_get_intf usb_hcd_flush_endpoint usb_disable_endpoint usb_disable_interface usb_remove_sysfs_*
      usb_set_interface usb_find_interface usb_driver_claim_interface usb_ifnum_to_if usb_altnum_to_altsetting
      usb_clear_halt usb_reset_endpoint
      usb_driver_release_interface usb_set_intfdata
      usb_autopm_* usb_bulk_msg_killable usb_block_urb usb_string usb_string_sub usb_cache_string usb_get_string
      usb_get_descriptor usb_get_device_descriptor usb_get_status usb_get_extra_descriptor
      usb_get_current_frame_number usb_get_from_anchor usb_scuttle_anchored_urbs usb_check_bulk_endpoints
      usb_check_int_endpoints usb_find_common_endpoints* usb_find_alt_setting usb_find_endpoint match_endpoint
      usb_alloc_streams usb_free_streams usb_alloc_dev usb_lock_device_for_reset usb_queue_reset_device
      usb_driver_set_configuration usb_enable_autosuspend usb_disable_autosuspend usb_enable_endpoint
      usb_enable_interface usb_match_id usb_match_one_id usb_device_match_id usb_register_driver usb_deregister
      usb_register_dev usb_deregister_dev usb_register_notify usb_unregister_notify usb_urb_ep_type_check
      usb_pipe_type_check usb_set_wireless_status usb_put_hcd usb_get_hcd usb_hcd_map_urb_for_dma
      usb_hcd_unmap_urb_for_dma usb_hcd_unmap_urb_setup_for_dma usb_hcd_link_urb_to_ep usb_hcd_unlink_urb_from_ep
      usb_hcd_check_unlink_urb usb_phy_roothub_* usb_api_blocking_completion sg_clean sg_complete urb_destroy
      hcd_buffer_alloc hcd_buffer_free create_intf_ep_devs remove_intf_ep_devs find_iad cdc_parse_cdc_header
    `,
  },
  assertion: {
    why: 'only says that an assertion of its caller failed',
    modules: /^(?:btrfs|xfs|zfs|spl|bcachefs|ext4|f2fs|jfs|ocfs2|reiserfs|nilfs2)$/,
    names: `
      phys_addr* virt_to_phys* virt_to_cache check_zeroed_user*
      kill_fasync* warn_bogus_*
      *assertfail *assert_fail* *assertion_failed* reiserfs_panic ext4_handle_error nilfs_error BUG rust_begin_unwind
      warn_alloc* warn_bogus_* drop_nlink inc_nlink set_nlink clear_nlink d_drop fast_dput dput mark_buffer_dirty
      mark_inode_dirty*
      iput iput_final mntput* dget inode_init_once
    `,
  },
  interrupt: {
    why: 'is how the interrupt or the exception was entered',
    names: `
      kvm_wait
      rcu_check_* rcu_sched_clock_irq rcu_dump_* rcu_stall_* rcu_pending rcu_preempt_* rcu_gp_* rcu_exp_*
      rcu_report_* print_cpu_stall* print_other_cpu_stall* check_cpu_stall* sched_show_task show_task
      dump_cpu_task synchronize_rcu_expedited_wait* update_process_times tick_* hrtimer_run_queues*
      hrtimer_interrupt hrtimer_run_* run_hrtimer* watchdog_* is_softlockup perf_event_overflow
      perf_event_nmi_handler x86_pmu_* intel_pmu_* armv8pmu_* arch_timer_* riscv_timer_interrupt timer_interrupt
      apic_timer_interrupt sysvec_* smp_apic_* local_apic_* handle_percpu_* handle_domain_irq handle_irq
      handle_irq_event* handle_irq_desc handle_irq_per_cpu_devid handle_fasteoi_* handle_level_irq handle_edge_irq
      handle_arch_irq handle_IPI generic_handle_* gic_handle_* gic_irq* do_interrupt_handler call_on_irq_stack
      do_softirq* irq_enter* irq_exit* invoke_softirq do_IRQ do_irq common_interrupt ret_from_intr irqentry_*
      handle_riscv_irq riscv_intc_irq arch_trigger_* trigger_* smp_call_function* csd_lock* on_each_cpu*
      flush_smp_call_function* smp_call_* smp_text_poke* finish_task_switch* finish_lock_switch local_irq_*
      arch_local_irq_* raw_local_irq_* cpu_relax delay udelay const_udelay ndelay loop_delay delay_tsc delay_loop
      timer_delay ktime_get* arch_counter_* sched_clock* read_tsc read_hpet switch_to switch_to_asm
    `,
  },
  check: {
    why: 'is a check that the kernel makes of its own objects',
    names: `
      debug_print_object debug_object_* debug_check_no_obj_freed debug_timer_* debug_work_* debug_rcu_* debug_hrtimer_*
      debug_percpu_* debug_objects_* debug_deactivate debug_activate debug_assert_init timer_is_static_object
      work_is_static_object work_fixup_* init_timer* init_work init_rcu_head* usercopy_* check_object_size
      check_heap_object
      check_stack_object check_page_span proc_register proc_create* proc_mkdir* proc_symlink proc_net_*
    `,
  },
} as const satisfies Readonly<Record<string, RoleFacts>>;

export type Role = keyof typeof ROLES;

/** Why a frame of this role is not to blame. */
export function roleWhy(role: Role): string {
  return ROLES[role].why;
}
