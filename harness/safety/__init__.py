"""What keeps a drill safe: undo before do, a guardian that outlives the harness, healing from any process."""
