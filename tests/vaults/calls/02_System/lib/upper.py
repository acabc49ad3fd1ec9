def up(): return 41
